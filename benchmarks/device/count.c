/* A qemu plugin that counts executed guest instructions and tells the count at each marker.
 *
 * The marker is the system call getsid(2), which no runtime makes on its own; the guest makes it before and after one
 * inference, and the difference of two lines on stderr is that inference. A block that an exception leaves early counts
 * whole, which is far below one in a thousand.
 *
 * Only what this plugin uses of qemu's plugin interface is declared here, so that no header has to be installed. It is
 * the part that has not changed since qemu 5.1; PLUGIN_API is 1 before qemu 9 and 2 from then on.
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifndef PLUGIN_API
#error "give -DPLUGIN_API=1 (qemu before 9) or -DPLUGIN_API=2"
#endif
#define SHOWN __attribute__((visibility("default")))
enum { CB_NO_REGS = 0, AARCH64_GETSID = 156 };

typedef uint64_t plugin_id;
typedef struct qemu_plugin_tb block;
typedef void (*on_translate)(plugin_id, block *);
typedef void (*on_execute)(unsigned int, void *);
typedef void (*on_call)(plugin_id, unsigned int, int64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                        uint64_t, uint64_t);

size_t qemu_plugin_tb_n_insns(const block *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, on_translate);
void qemu_plugin_register_vcpu_tb_exec_cb(block *, on_execute, int, void *);
void qemu_plugin_register_vcpu_syscall_cb(plugin_id, on_call);

SHOWN int qemu_plugin_version = PLUGIN_API;
static uint64_t executed;

static void add(unsigned int cpu, void *instructions)
{
    (void)cpu;
    __atomic_fetch_add(&executed, (uint64_t)(uintptr_t)instructions, __ATOMIC_RELAXED);
}

static void translated(plugin_id id, block *tb)
{
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_cb(tb, add, CB_NO_REGS, (void *)(uintptr_t)qemu_plugin_tb_n_insns(tb));
}

static void called(plugin_id id, unsigned int cpu, int64_t number, uint64_t a, uint64_t b, uint64_t c, uint64_t d,
                   uint64_t e, uint64_t f, uint64_t g, uint64_t h)
{
    (void)id, (void)cpu, (void)a, (void)b, (void)c, (void)d, (void)e, (void)f, (void)g, (void)h;
    if (number == AARCH64_GETSID) {
        fprintf(stderr, "executed %" PRIu64 "\n", __atomic_load_n(&executed, __ATOMIC_RELAXED));
    }
}

SHOWN int qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info, (void)argc, (void)argv;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_vcpu_syscall_cb(id, called);
    return 0;
}
