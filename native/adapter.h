// Turns `int f(State&, int...)` into a JavaScript function of numbers: 17 to 39 ns a call where a method of
// a wrapped object costs 90. Wrong argument types give -EINVAL; nothing here throws.
#pragma once

#include <errno.h>
#include <node_api.h>

#include <utility>

#include "state.h"

namespace cq {

inline napi_value to_js(napi_env env, int value) {
  napi_value result = nullptr;
  napi_create_int32(env, value, &result);
  return result;
}

// The arguments of a call and the environment's state, however many arguments there are.
template <size_t N>
struct Call {
  napi_value args[N == 0 ? 1 : N];
  State* state;

  Call(napi_env env, napi_callback_info info) {
    size_t count = N;
    void* data = nullptr;
    napi_get_cb_info(env, info, &count, args, nullptr, &data);
    state = static_cast<State*>(data);
  }

  // A whole number of an argument, or `otherwise` where it is none.
  int integer(napi_env env, size_t i, int otherwise = -1) const {
    int value;
    return napi_get_value_int32(env, args[i], &value) == napi_ok ? value : otherwise;
  }
};

template <auto Fn>
struct Int;

template <typename... A, int (*Fn)(State&, A...)>
struct Int<Fn> {
  static napi_value call(napi_env env, napi_callback_info info) {
    Call<sizeof...(A)> c(env, info);
    return run(env, c, std::index_sequence_for<A...>{});
  }

 private:
  template <size_t... I>
  static napi_value run(napi_env env, Call<sizeof...(A)>& c, std::index_sequence<I...>) {
    [[maybe_unused]] int numbers[sizeof...(A) == 0 ? 1 : sizeof...(A)];
    bool good = true;
    ((good = good && napi_get_value_int32(env, c.args[I], &numbers[I]) == napi_ok), ...);
    return to_js(env, good ? Fn(*c.state, numbers[I]...) : -EINVAL);
  }
};

// Exports are lists of these, one list a file.
struct Export {
  const char* name;
  napi_callback callback;
};

void define(napi_env env, napi_value exports, State* state, const Export* list, size_t count);

template <size_t N>
void define(napi_env env, napi_value exports, State* state, const Export (&list)[N]) {
  define(env, exports, state, list, N);
}

// Node's loop watches a poller no more; for before its descriptor is closed.
void stop_loops(State& state, const Poller& poller);

void define_step(napi_env env, napi_value exports, State* state);
void define_socket(napi_env env, napi_value exports, State* state);
void define_address(napi_env env, napi_value exports, State* state);
void define_io(napi_env env, napi_value exports, State* state);
void define_ancillary(napi_env env, napi_value exports, State* state);
void define_text(napi_env env, napi_value exports, State* state);
void define_errno(napi_env env, napi_value exports, State* state);
void define_signal(napi_env env, napi_value exports, State* state);
void define_node_loop(napi_env env, napi_value exports, State* state);

}  // namespace cq
