"""What every reply's headers say (OWASP Secure Headers; CSP level 3)."""

from __future__ import annotations

from dashboard.stream import Message, Send

_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    (b"x-frame-options", b"SAMEORIGIN"),  # for browsers that do not know frame-ancestors
)
_BARE = "default-src 'none'; frame-ancestors 'self'"
_UNTOLD = (b"server", b"x-powered-by")


def policy(nonce: str) -> str:
    """The content security policy of a page. Dash and Bootstrap set styles from scripts, hence
    'unsafe-inline' for styles; scripts run only with this reply's nonce, or loaded by one that did.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}' 'strict-dynamic'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "font-src 'self'",
            "connect-src 'self'",
            "manifest-src 'self'",
            "worker-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'self'",
        )
    )


def secured(send: Send, content_policy: str = _BARE) -> Send:
    """A `send` whose replies carry the headers, and nothing about what runs here."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            said = message.get("headers", ())
            kept = [(name, value) for name, value in said if name.lower() not in _UNTOLD]
            extra = (b"content-security-policy", content_policy.encode())
            message = {**message, "headers": [*kept, *_ALWAYS, extra]}
        await send(message)

    return sent
