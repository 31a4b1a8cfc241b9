// SPDX-License-Identifier: MIT
// Puts a stream under its keys: in the kernel where it can, in user space where it cannot. Both
// speak the same records, so either end may have either engine.
#pragma once

#include "seal/relay.hpp"
#include "seal/stream_engine.hpp"
#include "seal/stream_secret.hpp"

#include <optional>

namespace longcord {

enum class StreamSide { node, pi };

struct SealedStream {
    UniqueFd socket; ///< clear bytes; for the kernel's USB/IP in the end. Blocking mode.
    SealEngine engine = SealEngine::kernel;
};

class StreamSealer {
  public:
    /// `use_kernel`: false keeps to user space, whatever the kernel can.
    explicit StreamSealer(bool use_kernel = true) : use_kernel_(use_kernel) {}

    /// `tcp`: connected; the preface was sent or read to the byte, and nothing beyond it. `linger`:
    /// how long one direction may outlive the other where the engine is ours (RelayThread::Ends).
    Result<SealedStream> seal(
        UniqueFd tcp, const StreamSecret& secret, StreamSide side,
        milliseconds linger = milliseconds(0));

  private:
    Result<SealedStream> relay(
        UniqueFd tcp, const SealKey& send, const SealKey& receive, milliseconds linger);

    bool use_kernel_;
    std::optional<RelayThread> relays_; ///< once it is needed
};

} // namespace longcord
