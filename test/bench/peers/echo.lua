-- The guide's multiplexing echo server (its section 4.2) on Lua cqueues, with the two slips of the page put
-- right: what is read goes to the connection, not to the controller.
--   echo.lua [mode] [each|read|merge] [bufsize]
local cqueues = require"cqueues"
local socket = require"cqueues.socket"

local mode = arg[1] or "bl"
local how = arg[2] or "each"
local size = tonumber(arg[3] or 4096)

local srv = assert(socket.listen{ host = "127.0.0.1", port = 0, nodelay = true })
assert(srv:listen())

local function serve_each(con)
	for ln in con:lines("*L") do
		con:write(ln)
	end
end

local function serve_read(con)
	while true do
		local ln = con:read("*L")
		if not ln then break end
		con:write(ln)
	end
end

-- One write for all the lines that have come together, which the guide's example does not attempt: with the
-- automatic flush before each read off (mode A), it is flushed by hand when no input is left.
local function serve_merge(con)
	while true do
		local ln = con:read("*L")
		if not ln then break end
		con:write(ln)
		if con:pending() == 0 then con:flush() end
	end
end

local serve = ({ each = serve_each, read = serve_read, merge = serve_merge })[how]

local cq = cqueues.new()
cq:wrap(function()
	for con in srv:clients() do
		cq:wrap(function()
			con:setmode(mode, mode)
			con:setvbuf(mode:find"f" and "full" or mode:find"n" and "no" or "line", size)
			serve(con)
			con:shutdown("w")
			con:close()
		end)
	end
end)

local _, _, port = srv:localname()
io.stdout:write("listening ", port, "\n")
io.stdout:flush()
assert(cq:loop())
