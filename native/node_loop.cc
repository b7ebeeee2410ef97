// The bridge into Node's event loop: a controller's descriptor in a uv_poll_t, and nothing else of libuv.
// The surprise is the end: the handle must be closed through the loop before the environment goes, also
// when a worker is terminated and no JavaScript runs any more, hence the asynchronous clean-up hook.
#include <errno.h>
#include <uv.h>

#include "adapter.h"

namespace cq {

struct NodeLoop {
  uv_poll_t handle{};
  napi_env env = nullptr;
  const Poller* poller = nullptr;
  napi_ref callback = nullptr;
  napi_async_context context = nullptr;
  napi_async_cleanup_hook_handle hook = nullptr;
  bool closing = false;
};

namespace {

// Once, and while the environment still stands.
void release(NodeLoop* loop) {
  if (!loop->callback) return;
  napi_delete_reference(loop->env, loop->callback);
  napi_async_destroy(loop->env, loop->context);
  loop->callback = nullptr;
}

void on_closed(uv_handle_t* handle) {
  auto* loop = static_cast<NodeLoop*>(handle->data);
  release(loop);
  napi_remove_async_cleanup_hook(loop->hook);
  delete loop;
}

void close_handle(NodeLoop* loop) {
  if (loop->closing) return;
  loop->closing = true;
  uv_close(reinterpret_cast<uv_handle_t*>(&loop->handle), on_closed);
}

void on_environment_end(napi_async_cleanup_hook_handle, void* data) {
  auto* loop = static_cast<NodeLoop*>(data);
  close_handle(loop);
  release(loop);  // when the handle's last callback comes, the environment is gone
}

void on_ready(uv_poll_t* handle, int, int) {
  auto* loop = static_cast<NodeLoop*>(handle->data);
  napi_env env = loop->env;
  napi_handle_scope scope;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value callback, receiver, result;
  napi_get_reference_value(env, loop->callback, &callback);
  napi_get_global(env, &receiver);
  // make_callback also runs the microtasks and next ticks that the callback leaves behind.
  if (napi_make_callback(env, loop->context, receiver, callback, 0, nullptr, &result) == napi_pending_exception) {
    napi_value error;
    if (napi_get_and_clear_last_exception(env, &error) == napi_ok) napi_fatal_exception(env, error);
  }
  napi_close_handle_scope(env, scope);
}

NodeLoop* find(State& state, int id) {
  return id >= 0 && id < static_cast<int>(state.loops.size()) ? state.loops[id] : nullptr;
}

// loopStart(poller, callback) -> id or -errno. Starts unreferenced: it keeps nothing alive.
napi_value loop_start(napi_env env, napi_callback_info info) {
  Call<2> c(env, info);
  uv_loop_t* uv = nullptr;
  napi_valuetype type;
  const Poller* poller = c.state->poller(c.integer(env, 0));
  if (!poller) return to_js(env, -EBADF);
  if (napi_typeof(env, c.args[1], &type) != napi_ok || type != napi_function) return to_js(env, -EINVAL);
  if (napi_get_uv_event_loop(env, &uv) != napi_ok) return to_js(env, -ENOSYS);
  auto* loop = new NodeLoop;
  loop->env = env;
  loop->poller = poller;
  int error = uv_poll_init(uv, &loop->handle, poller->kernel.fd);
  if (error < 0) {
    delete loop;
    return to_js(env, error);
  }
  loop->handle.data = loop;
  napi_value name;
  napi_create_string_latin1(env, "cqueues", NAPI_AUTO_LENGTH, &name);
  napi_create_reference(env, c.args[1], 1, &loop->callback);
  napi_async_init(env, nullptr, name, &loop->context);
  napi_add_async_cleanup_hook(env, on_environment_end, loop, &loop->hook);
  uv_poll_start(&loop->handle, UV_READABLE, on_ready);
  uv_unref(reinterpret_cast<uv_handle_t*>(&loop->handle));
  auto& loops = c.state->loops;
  size_t id = 0;
  while (id < loops.size() && loops[id]) id++;
  if (id == loops.size()) loops.push_back(nullptr);
  loops[id] = loop;
  return to_js(env, static_cast<int>(id));
}

// loopRef(id, on): whether it keeps Node alive.
int loop_ref(State& state, int id, int on) {
  NodeLoop* loop = find(state, id);
  if (!loop) return -EBADF;
  auto* handle = reinterpret_cast<uv_handle_t*>(&loop->handle);
  if (on) {
    uv_ref(handle);
  } else {
    uv_unref(handle);
  }
  return 0;
}

int loop_stop(State& state, int id) {
  NodeLoop* loop = find(state, id);
  if (!loop) return -EBADF;
  state.loops[id] = nullptr;
  close_handle(loop);
  return 0;
}

}  // namespace

void stop_loops(State& state, const Poller& poller) {
  for (size_t id = 0; id < state.loops.size(); id++) {
    if (state.loops[id] && state.loops[id]->poller == &poller) loop_stop(state, static_cast<int>(id));
  }
}

void define_node_loop(napi_env env, napi_value exports, State* state) {
  const Export list[] = {
      {"loopStart", loop_start},
      {"loopRef", Int<&loop_ref>::call},
      {"loopStop", Int<&loop_stop>::call},
  };
  define(env, exports, state, list);
}

}  // namespace cq
