// Bytes to strings and back, 8-bit clean: UTF-8 where it is valid, and each byte that is no part of valid
// UTF-8 as a lone surrogate U+DC80..U+DCFF, as Python's surrogateescape has it (PEP 383). What is read is
// ASCII nearly always, so that is checked first and made a one-byte string.
#include <errno.h>
#include <node_api.h>

#include <cstring>
#include <string>
#include <vector>

#include "adapter.h"

namespace cq {
namespace {

using Bytes = const unsigned char*;

bool is_ascii(Bytes p, size_t n) {
  uint64_t word, bits = 0;
  for (; n >= 8; p += 8, n -= 8) {
    memcpy(&word, p, 8);
    bits |= word;
  }
  unsigned char rest = 0;
  for (; n > 0; p++, n--) rest |= *p;
  return !(bits & 0x8080808080808080ull) && !(rest & 0x80);
}

// The length of the valid UTF-8 sequence at p and its code point, or 0 (RFC 3629 section 4: no overlong
// forms, no surrogates, nothing above U+10FFFF).
int sequence(Bytes p, Bytes end, uint32_t& code) {
  unsigned char lead = p[0];
  int length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3
             : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length == 0 || end - p < length) return 0;
  code = length == 1 ? lead : lead & (0x7f >> length);
  for (int i = 1; i < length; i++) {
    if ((p[i] & 0xc0) != 0x80) return 0;
    code = code << 6 | (p[i] & 0x3f);
  }
  bool good = length < 3 || (length == 3 ? code >= 0x800 && (code < 0xd800 || code > 0xdfff)
                                         : code >= 0x10000 && code <= 0x10ffff);
  return good ? length : 0;
}

napi_value escaped_string(napi_env env, Bytes p, size_t n) {
  std::vector<char16_t> units;
  units.reserve(n);
  for (Bytes end = p + n; p < end;) {
    uint32_t code;
    int length = sequence(p, end, code);
    if (length == 0) {
      units.push_back(static_cast<char16_t>(0xdc00 | *p++));
      continue;
    }
    if (code >= 0x10000) {
      units.push_back(static_cast<char16_t>(0xd7c0 + (code >> 10)));
      units.push_back(static_cast<char16_t>(0xdc00 | (code & 0x3ff)));
    } else {
      units.push_back(static_cast<char16_t>(code));
    }
    p += length;
  }
  napi_value result = nullptr;
  napi_create_string_utf16(env, units.data(), units.size(), &result);
  return result;
}

napi_value to_string(napi_env env, const char* data, size_t n) {
  auto p = reinterpret_cast<Bytes>(data);
  if (!is_ascii(p, n)) return escaped_string(env, p, n);
  napi_value result = nullptr;
  napi_create_string_latin1(env, data, n, &result);
  return result;
}

// The encoder for strings that hold lone surrogates. A high one, which no byte decodes to, is U+FFFD.
void encode(const std::u16string& units, std::string& out) {
  for (size_t i = 0; i < units.size(); i++) {
    uint32_t code = units[i];
    if (code >= 0xdc80 && code <= 0xdcff) {
      out.push_back(static_cast<char>(code & 0xff));
      continue;
    }
    if (code >= 0xd800 && code < 0xdc00 && i + 1 < units.size() && (units[i + 1] & 0xfc00) == 0xdc00) {
      code = 0x10000 + ((code & 0x3ff) << 10) + (units[++i] & 0x3ff);
    } else if (code >= 0xd800 && code <= 0xdfff) {
      code = 0xfffd;
    }
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xc0 | code >> 6));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
      out.push_back(static_cast<char>(0xe0 | code >> 12));
      out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    } else {
      out.push_back(static_cast<char>(0xf0 | code >> 18));
      out.push_back(static_cast<char>(0x80 | (code >> 12 & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (code >> 6 & 0x3f)));
      out.push_back(static_cast<char>(0x80 | (code & 0x3f)));
    }
  }
}

constexpr int NO_ROOM = -1;

int encode_escaped(napi_env env, napi_value string, char* to, int capacity) {
  size_t length = 0;
  napi_get_value_string_utf16(env, string, nullptr, 0, &length);
  std::u16string units(length, 0);
  napi_get_value_string_utf16(env, string, units.data(), length + 1, &length);
  std::string bytes;
  encode(units, bytes);
  if (bytes.size() > static_cast<size_t>(capacity)) return NO_ROOM;
  memcpy(to, bytes.data(), bytes.size());
  return static_cast<int>(bytes.size());
}

// Every LF becomes CRLF, in place, from the back.
int translate(char* data, int length, int capacity) {
  int lines = 0;
  for (char* p = data; (p = static_cast<char*>(memchr(p, '\n', data + length - p))); p++) lines++;
  if (lines == 0) return length;
  if (length + lines > capacity) return NO_ROOM;
  char* from = data + length;
  char* to = from + lines;
  while (from != to) {
    char byte = *--from;
    *--to = byte;
    if (byte == '\n') *--to = '\r';
  }
  return length + lines;
}

// The two calls that every line makes take their numbers from here: eight of them, in the shared memory
// behind the results. Reading a number out of an argument costs more than all of these.
const int32_t* arguments(const State* state) { return state->out ? state->out + 8 : nullptr; }

// put(string) of arguments region, offset, capacity, translate -> bytes written at the offset, or NO_ROOM.
// One byte of the capacity is always left over (for the NUL that the engine writes).
napi_value put(napi_env env, napi_callback_info info) {
  Call<1> c(env, info);
  const int32_t* numbers = arguments(c.state);
  if (!numbers) return to_js(env, -EFAULT);
  const int capacity = numbers[2], translated = numbers[3];
  char* to = c.state->span(numbers[0], numbers[1], capacity);
  size_t length = 0;
  if (!to || capacity < 2) return to_js(env, NO_ROOM);
  if (napi_get_value_string_utf8(env, c.args[0], to, capacity, &length) != napi_ok) return to_js(env, -EINVAL);
  // The engine cuts at a whole character: short of room by three bytes or less may have been a cut.
  if (static_cast<int>(length) >= capacity - 4) return to_js(env, NO_ROOM);
  int written = static_cast<int>(length);
  // A lone surrogate has come out as U+FFFD, so only a string that may have that in it needs a second look.
  if (memchr(to, 0xef, length)) written = encode_escaped(env, c.args[0], to, capacity);
  if (written >= 0 && translated) written = translate(to, written, capacity);
  return to_js(env, written);
}

enum : int { KEEP_EOL = 1, TEXT = 2 };

// readLine() of arguments region, start, scanned, end, limit, flags -> string, or undefined when there is no
// whole line. `scanned` is where the search for LF begins; a line longer than the limit comes in pieces of the limit.
// out[0] is the number of bytes consumed.
napi_value read_line(napi_env env, napi_callback_info info) {
  Call<0> c(env, info);
  const int32_t* numbers = arguments(c.state);
  if (!numbers) return nullptr;
  const int start = numbers[1], scanned = numbers[2], end = numbers[3], limit = numbers[4], flags = numbers[5];
  char* data = c.state->range(numbers[0], start, end);
  if (!data || scanned < start || scanned > end || !c.state->out) return nullptr;
  int window = limit >= 0 && limit < end - start ? limit : end - start;
  char* from = data + (scanned - start);
  char* newline = from < data + window ? static_cast<char*>(memchr(from, '\n', data + window - from)) : nullptr;
  if (!newline) {
    if (limit < 0 || window < limit) return nullptr;
    c.state->out[0] = window;
    return to_string(env, data, window);
  }
  int length = static_cast<int>(newline - data);
  c.state->out[0] = length + 1;
  if ((flags & TEXT) && length > 0 && newline[-1] == '\r') {
    length--;
    data[length] = '\n';  // consumed bytes: ours to write over
  }
  return to_string(env, data, flags & KEEP_EOL ? length + 1 : length);
}

// findLine(region, from, end) -> index just after the first LF, or -1
int find_line(State& state, int region, int from, int end) {
  char* data = state.range(region, from, end);
  if (!data || from == end) return -1;
  auto newline = static_cast<char*>(memchr(data, '\n', end - from));
  return newline ? from + static_cast<int>(newline - data) + 1 : -1;
}

// text(region, start, end) -> string
napi_value text(napi_env env, napi_callback_info info) {
  Call<3> c(env, info);
  int start = c.integer(env, 1), end = c.integer(env, 2);
  char* data = c.state->range(c.integer(env, 0), start, end);
  return data ? to_string(env, data, end - start) : nullptr;
}

// compact(region, start, end, most, final) -> bytes after CRLF became LF, in place at `start`, at most
// `most`; out[0] is the number of bytes consumed. A CR at the end waits for its LF unless `final`.
int compact(State& state, int region, int start, int end, int most, int final) {
  char* data = state.range(region, start, end);
  if (!data || !state.out) return -EFAULT;
  int length = end - start, from = 0, to = 0;
  while (from < length && to < most) {
    if (data[from] == '\r') {
      if (from + 1 == length && !final) break;
      if (from + 1 < length && data[from + 1] == '\n') from++;
    }
    data[to++] = data[from++];
  }
  state.out[0] = from;
  return to;
}

// measure(region, start, end, most, final) -> what compact would give, touching nothing.
int measure(State& state, int region, int start, int end, int most, int final) {
  char* data = state.range(region, start, end);
  if (!data) return -EFAULT;
  int length = end - start, from = 0, to = 0;
  while (from < length && to < most) {
    if (data[from] == '\r') {
      if (from + 1 == length && !final) break;
      if (from + 1 < length && data[from + 1] == '\n') from++;
    }
    from++;
    to++;
  }
  return to;
}

}  // namespace

void define_text(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"put", put},
      {"text", text},
      {"readLine", read_line},
      {"findLine", Int<&find_line>::call},
      {"compact", Int<&compact>::call},
      {"measure", Int<&measure>::call},
  };
  define(env, exports, state, list);
}

}  // namespace cq
