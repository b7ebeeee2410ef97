// What the addon keeps for one JavaScript environment (the main thread or a worker): the memory it may
// read and write, the descriptors it owns and its pollers. Never a C++ static: every worker has its own,
// and all of it is released when the environment goes, whether or not JavaScript got to clean up.
#pragma once

#include <node_api.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "poll.h"

namespace cq {

// Memory that JavaScript and the addon share. The reference keeps the ArrayBuffer alive, so `base` holds
// until the region is released; these buffers are never handed to users, who could detach them.
struct Region {
  char* base = nullptr;
  int length = 0;
  bool numbers = false;  // an Int32Array, and so aligned for numbers of 32 bits
  napi_ref reference = nullptr;
};

struct Poller {
  Kpoll kernel;
  int slots = -1;  // region: descriptor, generation and wanted bytes of each slot
};

struct NodeLoop;

struct State {
  explicit State(napi_env environment);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  int addRegion(const Region& region);
  // Refuses one that the addon writes to by itself.
  int dropRegion(int id);
  // The `length` bytes at `offset` of a region, or nullptr when they are not all inside it.
  char* span(int id, int offset, int length) const;
  // The bytes from `start` to `end`, likewise.
  char* range(int id, int start, int end) const;
  // The first `count` numbers of a region, or nullptr when it has none or fewer.
  int32_t* numbers(int id, int count) const;

  // Descriptors are owned from creation to close. Closing one that is not owned is refused, so a
  // number that the kernel has given to somebody else since is never closed by mistake.
  void own(int fd);
  bool disown(int fd);

  Poller* poller(int id) const;

  napi_env env;
  std::vector<Region> regions;
  std::vector<int> freeRegions;
  std::vector<std::unique_ptr<Poller>> pollers;
  std::vector<bool> owned;
  std::vector<NodeLoop*> loops;
  int32_t* out = nullptr;      // second results of a call, 16 numbers
  int32_t* control = nullptr;  // a step's arguments and results, see step.cc
  Region arena;                // where a step receives into; the region's reference is not ours
};

}  // namespace cq
