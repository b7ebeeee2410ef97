// The addon's table of contents, its clock and its registry of shared memory. Loaded once for each
// environment; the State made here is what every exported function gets as its callback data.
#include <errno.h>
#include <napi.h>
#include <time.h>

#include <climits>

#include "adapter.h"

namespace cq {

void define(napi_env env, napi_value exports, State* state, const Export* list, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value function;
    if (napi_create_function(env, list[i].name, NAPI_AUTO_LENGTH, list[i].callback, state, &function) == napi_ok)
      napi_set_named_property(env, exports, list[i].name, function);
  }
}

namespace {

napi_value monotime(napi_env env, napi_callback_info) {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  napi_value result = nullptr;
  napi_create_double(env, static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9, &result);
  return result;
}

// regionAdd(typedArray) -> id. The array's memory stays reachable for the addon until regionDrop(id).
napi_value region_add(napi_env env, napi_callback_info info) {
  Call<1> c(env, info);
  napi_typedarray_type type;
  size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(env, c.args[0], &type, &length, &data, nullptr, nullptr) != napi_ok)
    return to_js(env, -EINVAL);
  size_t bytes = type == napi_int32_array ? length * 4 : length;
  if ((type != napi_int32_array && type != napi_uint8_array) || bytes > INT_MAX || !data) return to_js(env, -EINVAL);
  napi_ref reference;
  if (napi_create_reference(env, c.args[0], 1, &reference) != napi_ok) return to_js(env, -ENOMEM);
  Region region{static_cast<char*>(data), static_cast<int>(bytes), type == napi_int32_array, reference};
  return to_js(env, c.state->addRegion(region));
}

int region_drop(State& state, int id) { return state.dropRegion(id); }

// results(region): where calls with several results leave the further ones.
int results(State& state, int region) {
  int32_t* base = state.numbers(region, 16);
  if (!base) return -EINVAL;
  state.out = base;
  return 0;
}

napi_value init(napi_env env, napi_value exports) {
  auto* state = new State(env);
  napi_set_instance_data(
      env, state, [](napi_env, void* data, void*) { delete static_cast<State*>(data); }, nullptr);
  const Export list[] = {
      {"monotime", monotime},
      {"regionAdd", region_add},
      {"regionDrop", Int<&region_drop>::call},
      {"results", Int<&results>::call},
  };
  define(env, exports, state, list);
  define_step(env, exports, state);
  define_socket(env, exports, state);
  define_address(env, exports, state);
  define_io(env, exports, state);
  define_ancillary(env, exports, state);
  define_text(env, exports, state);
  define_errno(env, exports, state);
  define_signal(env, exports, state);
  define_node_loop(env, exports, state);
  return exports;
}

}  // namespace
}  // namespace cq

NAPI_MODULE_INIT() { return cq::init(env, exports); }
