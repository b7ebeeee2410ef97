// Per-environment state: regions of shared memory, owned descriptors, pollers. See state.h.
#include "state.h"

#include <errno.h>
#include <unistd.h>

namespace cq {

State::State(napi_env environment) : env(environment) {}

State::~State() {
  for (auto& poller : pollers) {
    if (poller) kpoll_close(poller->kernel);
  }
  for (size_t fd = 0; fd < owned.size(); fd++) {
    if (owned[fd]) ::close(static_cast<int>(fd));
  }
  for (const Region& region : regions) {
    if (region.reference) napi_delete_reference(env, region.reference);
  }
}

int State::addRegion(const Region& region) {
  if (freeRegions.empty()) {
    regions.push_back(region);
    return static_cast<int>(regions.size()) - 1;
  }
  int id = freeRegions.back();
  freeRegions.pop_back();
  regions[id] = region;
  return id;
}

int State::dropRegion(int id) {
  if (id < 0 || id >= static_cast<int>(regions.size()) || regions[id].reference == nullptr) return -EINVAL;
  const char* base = regions[id].base;
  for (const void* used : {static_cast<void*>(out), static_cast<void*>(control), static_cast<void*>(arena.base)}) {
    if (base == used) return -EBUSY;
  }
  napi_delete_reference(env, regions[id].reference);
  regions[id] = Region{};
  freeRegions.push_back(id);
  return 0;
}

char* State::span(int id, int offset, int length) const {
  if (id < 0 || id >= static_cast<int>(regions.size())) return nullptr;
  const Region& region = regions[id];
  if (offset < 0 || length < 0 || offset > region.length || length > region.length - offset) return nullptr;
  return region.base == nullptr ? nullptr : region.base + offset;
}

char* State::range(int id, int start, int end) const {
  return start < 0 || end < start ? nullptr : span(id, start, end - start);
}

int32_t* State::numbers(int id, int count) const {
  char* base = span(id, 0, count * static_cast<int>(sizeof(int32_t)));
  return base && regions[id].numbers ? reinterpret_cast<int32_t*>(base) : nullptr;
}

void State::own(int fd) {
  if (fd >= static_cast<int>(owned.size())) owned.resize(fd + 64);
  owned[fd] = true;
}

bool State::disown(int fd) {
  if (fd < 0 || fd >= static_cast<int>(owned.size()) || !owned[fd]) return false;
  owned[fd] = false;
  return true;
}

Poller* State::poller(int id) const {
  if (id < 0 || id >= static_cast<int>(pollers.size())) return nullptr;
  return pollers[id].get();
}

}  // namespace cq
