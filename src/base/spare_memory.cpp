// SPDX-License-Identifier: MIT
#include "base/spare_memory.hpp"

#include "base/clock.hpp"

#include <cstdint>
#include <link.h>
#include <malloc.h>

#include <sys/mman.h>
#include <unistd.h>

namespace longcord {

/// Segments that are never written: what is in them is in the file, too. (Those with relocations
/// are writable in the program header, even where the linker protects them later.)
static int drop_code(dl_phdr_info* object, std::size_t, void*) {
    const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
    for (int i = 0; i < object->dlpi_phnum; ++i) {
        const auto& segment = object->dlpi_phdr[i];
        if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W) != 0)
            continue;
        const std::uintptr_t begin = object->dlpi_addr + segment.p_vaddr;
        const std::uintptr_t end = begin + segment.p_memsz;
        const std::uintptr_t first = begin / page * page;
        ::madvise(reinterpret_cast<void*>(first), end - first, MADV_DONTNEED); // NOLINT
    }
    return 0;
}

static void spare_memory() noexcept {
    ::malloc_trim(0);
    ::dl_iterate_phdr(drop_code, nullptr);
}

SpareMemory::SpareMemory(boost::asio::io_context& loop) : calm_(loop) {}

void SpareMemory::soon() {
    constexpr milliseconds calm_after{2'000};
    calm_.expires_after(calm_after);
    calm_.async_wait([](const boost::system::error_code& cancelled) {
        if (!cancelled)
            spare_memory();
    });
}

} // namespace longcord
