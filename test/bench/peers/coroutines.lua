-- The same measurements as ../coroutines.ts, in the same words, on Lua cqueues.
--   coroutines.lua MEASURE AMOUNT      prints one line of JSON
-- AMOUNT is seconds for the rates, a number of coroutines for sleepers and memory. Rates are per second of CPU
-- time, which is the same as by the clock on a core of its own, and still true when others disturb.
local cqueues = require"cqueues"
local condition = require"cqueues.condition"

local monotime, sleep = cqueues.monotime, cqueues.sleep
local measures = {}

local function rss()
	for line in io.lines"/proc/self/status" do
		local kb = line:match"^VmRSS:%s*(%d+)"
		if kb then return tonumber(kb) * 1024 end
	end
end

-- n coroutines that only sleep(0); the first of them looks at the clock, and not at each turn.
local function switches(n, seconds)
	local cq, count, over = cqueues.new(), 0, false
	local every = math.max(1, math.floor(256 / n))
	local start, clock = monotime(), os.clock()
	for i = 1, n do
		cq:wrap(function()
			local turns = 0
			while not over do
				sleep(0)
				count = count + 1
				turns = turns + 1
				if i == 1 and turns % every == 0 then over = monotime() - start >= seconds end
			end
		end)
	end
	assert(cq:loop())
	return { rate = count / (os.clock() - clock) }
end

function measures.sleep1(seconds) return switches(1, seconds) end
function measures.sleep1000(seconds) return switches(1000, seconds) end

-- Who has the ball is said by a variable, because which coroutine starts first is not laid down.
function measures.pingpong(seconds)
	local cq, ping, pong = cqueues.new(), condition.new(), condition.new()
	local count, over, ball, start, clock = 0, false, "pong", monotime(), os.clock()
	cq:wrap(function()
		while not over do
			while ball ~= "ping" do ping:wait() end
			count = count + 1
			ball = "pong"
			pong:signal()
		end
	end)
	cq:wrap(function()
		while not over do
			while ball ~= "pong" do pong:wait() end
			count = count + 1
			if count % 512 < 2 then over = monotime() - start >= seconds end
			ball = "ping"
			ping:signal()
		end
	end)
	assert(cq:loop())
	return { rate = count / (os.clock() - clock) }
end

function measures.spawn(seconds)
	local cq, count, finished, start, clock = cqueues.new(), 0, 0, monotime(), os.clock()
	local function body() finished = finished + 1 end
	repeat
		for _ = 1, 1000 do cq:wrap(body) end
		count = count + 1000
		assert(cq:loop())
	until monotime() - start >= seconds
	assert(finished == count)
	return { rate = count / (os.clock() - clock) }
end

-- The deadlines fill the second that begins one second after the start: the making of the
-- coroutines is paid for in CPU time, but delays nobody.
function measures.sleepers(n)
	math.randomseed(42)
	local cq, late, early = cqueues.new(), {}, 0
	local clock, start = os.clock(), monotime()
	for _ = 1, n do
		cq:wrap(function()
			local deadline = start + 1 + math.random()
			local asked = monotime()
			sleep(deadline - asked)
			local lateness = monotime() - deadline
			-- a float's worth of slack, since the deadline is put together from two of them
			if lateness < -1e-6 then early = early + 1 end
			late[#late + 1] = lateness
		end)
	end
	assert(cq:loop())
	local cpu = os.clock() - clock
	table.sort(late)
	local function at(p) return late[math.min(#late, math.floor(p * #late) + 1)] end
	return { cpu = cpu, p50 = at(0.5), p99 = at(0.99), max = late[#late], early = early, count = #late }
end

function measures.memory(n)
	local cq = cqueues.new()
	for _ = 1, 100 do cq:wrap(function() sleep(1e6) end) end
	assert(cq:step(0))
	collectgarbage() collectgarbage()
	local before, heap = rss(), collectgarbage"count" * 1024
	for _ = 1, n do cq:wrap(function() sleep(1e6) end) end
	assert(cq:step(0))
	collectgarbage() collectgarbage()
	return { rss = (rss() - before) / n, heap = (collectgarbage"count" * 1024 - heap) / n }
end

local fields = {}
for k, v in pairs(measures[arg[1]](tonumber(arg[2]))) do
	fields[#fields + 1] = string.format('"%s":%.9g', k, v)
end
print("{" .. table.concat(fields, ",") .. "}")
