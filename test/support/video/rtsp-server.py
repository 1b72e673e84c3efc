"""An RTSP camera for tests: one solid colour, H.264, served at /camera.

usage: rtsp-server.py PORT WIDTH HEIGHT [USER PASSWORD]
PORT 0 takes a free one. Prints "listening PORT" when ready, then one line "client" for each that connects.
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

CAMERA = (
    "( videotestsrc is-live=true pattern=solid-color foreground-color=0xffc83232"
    " ! video/x-raw,format=I420,width={width},height={height},framerate=20/1"
    " ! openh264enc gop-size=5 ! h264parse config-interval=-1 ! rtph264pay name=pay0 pt=96 )"
)


def require_login(server, factory, user, password):
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main(port, width, height, *login):
    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_launch(CAMERA.format(width=width, height=height))
    factory.set_shared(True)
    if login:
        require_login(server, factory, *login)
    server.get_mount_points().add_factory("/camera", factory)
    server.connect("client-connected", lambda *_: print("client", flush=True))
    if server.attach(None) == 0:
        sys.exit(f"port {port} is taken")
    print("listening", server.get_bound_port(), flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
