"""The name in the address is the one that the certificate has to be for."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.ticketing.jira.conftest import Wire, credentials, failure
from ticketing.trackers.base import Fault
from ticketing.trackers.jira.client import JiraClient
from ticketing.trackers.jira.faults import Call

NAME = "jira.example.com"


def certificate(folder: Path) -> Path:
    """A certificate for NAME, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    written = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path = folder / "certificate.pem"
    path.write_bytes(written + made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture
def bundle(tmp_path) -> Path:
    return certificate(tmp_path)


@pytest.fixture
def tls(bundle, monkeypatch) -> Iterator[Wire]:
    """`https://jira.example.com`, on this machine; `server.names` are those it was asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = Wire(f"https://{NAME}:{port}", names=names)
    server.says(200, b'{"accountId": "712020:us"}')
    thread = threading.Thread(target=serve, args=(listener, context, server), daemon=True)
    thread.start()
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *more, **named: real(
            "127.0.0.1" if host.endswith("example.com") else host, *more, **named
        ),
    )
    yield server
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(5)


def serve(listener: socket.socket, context: ssl.SSLContext, server: Wire) -> None:
    while True:
        try:
            plain, _ = listener.accept()
        except OSError:
            return
        with plain:
            try:
                with context.wrap_socket(plain, server_side=True) as connection:
                    server.requests.append(connection.recv(65536))
                    connection.sendall(server.answer)
            except OSError:  # the client does not trust us
                continue


def test_it_trusts_the_certificates_that_it_is_given(tls, bundle):
    with JiraClient(credentials(tls.url, ca_bundle=str(bundle))) as client:
        assert client.get("myself") == {"accountId": "712020:us"}
    assert tls.names == [NAME]
    assert f"Host: {NAME}:".encode() in tls.requests[0]


def test_it_sends_nothing_to_a_server_that_it_does_not_trust(tls):
    with JiraClient(credentials(tls.url)) as client:
        error = failure(lambda: client.post("issue", json={}, call=Call.CREATE))
    assert (error.fault, error.whole_account) == (Fault.TRANSIENT, True)
    assert error.reason == f"The certificate of {NAME} is not trusted."
    assert tls.requests == []


@pytest.mark.parametrize("name", ["other.example.com", "127.0.0.1"])
def test_it_sends_nothing_to_a_server_of_another_name(tls, bundle, name):
    url = tls.url.replace(NAME, name)
    with JiraClient(credentials(url, ca_bundle=str(bundle))) as client:
        error = failure(lambda: client.post("issue", json={}, call=Call.CREATE))
    assert error.reason == f"The certificate of {name} is not trusted."
    assert tls.requests == []
