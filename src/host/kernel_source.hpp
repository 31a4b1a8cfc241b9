// SPDX-License-Identifier: MIT
// This host's kernel as a source of the World: devices by udev's word, and vhci's table whenever
// something on it moved. Everything is read on the worker pool: a string of a device whose stream
// stalls can block for seconds, and must not hold up another device's.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "host/importer.hpp"
#include "host/journal.hpp"
#include "host/vhci_table.hpp"
#include "usb/usb_events.hpp"

#include <map>
#include <memory>

namespace longcord {

class KernelSource {
  public:
    KernelSource(
        asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
        Importer& importer, Journal& journal, bool admit_foreign,
        VhciTable::StreamEnded stream_ended);

    Task<> run();
    /// What becomes of devices that somebody else attaches; where they are allowed from now on,
    /// those that wait are authorised.
    void admit_foreign(bool admit);

  private:
    struct Reading {
        bool again = false; ///< something happened while it was being read
        bool gone = false;  ///< it was removed meanwhile: what was read is of the one before
    };

    Task<> prepare_root_hubs();
    Task<> adopt_imports();
    Task<> list_everything();
    void refresh(const std::string& sysname);
    void removed(const UsbEvent& event);
    Task<> read_device(std::string sysname);
    Task<> admit(std::string sysname);
    bool is_foreign(const LocalDevice& device) const;

    asio::io_context& loop_;
    Roots roots_;
    WorkerPool& pool_;
    Reconciler& reconciler_;
    Importer& importer_;
    Journal& journal_;
    bool admit_foreign_;
    std::unique_ptr<UsbEvents> events_;
    std::map<std::string, Reading> reading_;
    bool preparing_ = false;
    bool prepare_again_ = false; ///< a hub has come
    Vhci vhci_;
    VhciRecords records_;
    VhciTable table_;
};

} // namespace longcord
