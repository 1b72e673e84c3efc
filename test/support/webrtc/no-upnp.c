/*
 * Debian 12's whip-client is linked to libsoup 2, and what it loads for ICE to libsoup 3 by way of UPnP; libsoup ends such a
 * process. This stands in for libgupnp-igd, so that libsoup 3 is not loaded: the client then asks no router for ports.
 */
#include <stddef.h>

extern void *g_object_new(size_t type, const char *first, ...);

/* GObject's own type. */
size_t gupnp_simple_igd_get_type(void) { return 20 << 2; }
void *gupnp_simple_igd_thread_new(void) { return g_object_new(20 << 2, NULL); }
void gupnp_simple_igd_add_port(void) {}
void gupnp_simple_igd_remove_port_local(void) {}
