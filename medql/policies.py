"""What a browser may do with a page of MedQL. Nothing inline, nothing evaluated, nothing from elsewhere."""

from csp.constants import NONE, SELF

CONTENT_SECURITY = {
    "default-src": [NONE],
    "script-src": [SELF],
    "style-src": [SELF],
    "img-src": [SELF],
    "font-src": [SELF],
    "media-src": [SELF],
    "manifest-src": [SELF],
    "connect-src": [SELF],  # sockets of the same host among them
    "worker-src": [SELF],
    "frame-src": [NONE],
    "object-src": [NONE],
    "base-uri": [NONE],
    "form-action": [SELF],
    "frame-ancestors": [NONE],
    # HTML from the server is drawn by htmx alone (static/armour.js), a worker is begun by notices.js alone.
    "require-trusted-types-for": ["'script'"],
    "trusted-types": ["htmx", "worker"],
}
# Django's administration draws with jQuery, which knows no trusted types.
OF_THE_ADMINISTRATION = {"require-trusted-types-for": None, "trusted-types": None}
# Swagger UI builds its page from strings, and has its small pictures in its own style sheet.
OF_THE_DESCRIPTION = OF_THE_ADMINISTRATION | {"img-src": [SELF, "data:"]}

_OFF = (
    "accelerometer",
    "camera",
    "display-capture",
    "encrypted-media",
    "gamepad",
    "geolocation",
    "gyroscope",
    "hid",
    "identity-credentials-get",
    "idle-detection",
    "local-fonts",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-create",
    "publickey-credentials-get",
    "serial",
    "storage-access",
    "usb",
    "window-management",
    "xr-spatial-tracking",
)
# A ward board sounds, fills a wall and keeps it awake.
_ON = ("autoplay", "fullscreen", "screen-wake-lock")
PERMISSIONS: dict[str, list[str]] = {name: [] for name in _OFF} | {name: ["self"] for name in _ON}
