"""Lane: the two requests that each recording needs of S3, at a fraction of the cost that boto3 has for them.

boto3 resolves the endpoint, validates, serialises and signs anew for each request, which takes it 2 to 4 ms of CPU:
more than all else that a recording of a minute takes. Where to and as whom is asked of it once; then a file is put,
and looked at, by one request each over a connection that stays. Whatever is out of the ordinary is left to boto3.

Signatures: https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import re
import select
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from botocore import exceptions
from botocore.httpsession import get_cert_path
from botocore.parsers import create_parser
from botocore.utils import get_environ_proxies

from fsivr.exporter.s3options import S3Options
from fsivr.exporter.sending import Sending

#: Bytes that go out at a time.
_PIECE = 65536
_EMPTY = hashlib.sha256(b"").hexdigest()
_PROBE = "probe"
#: What a key has to be to be its own path in an URL.
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+")

#: The arguments of ``put_object`` that are the ordinary ones, and their headers.
_HEADERS = {
    "StorageClass": "x-amz-storage-class",
    "ServerSideEncryption": "x-amz-server-side-encryption",
    "SSEKMSKeyId": "x-amz-server-side-encryption-aws-kms-key-id",
    "ChecksumSHA256": "x-amz-checksum-sha256",
    "ContentMD5": "content-md5",
}
#: What is asked about of ``head_object``'s answer, beside its length.
_TOLD = {"ChecksumSHA256": "x-amz-checksum-sha256", "ChecksumType": "x-amz-checksum-type"}


class Unusual(Exception):
    """It is to be asked by boto3."""


class Answer(NamedTuple):
    """What the service answered: its status, and its headers by their names in lower case."""

    status: int
    headers: Mapping[str, str]


class Way(NamedTuple):
    """Where requests go."""

    secure: bool
    host: str
    port: int
    #: Before the key.
    path: str
    region: str


def lane_of(client: Any, credentials: Any, options: S3Options) -> Lane | None:
    """The lane to where a client of boto3 sends files; None where there is none.

    That is where requests go by a proxy, are signed in another manner, or by nobody.
    """
    way = None if credentials is None else _way_of(client, options)
    return None if way is None else Lane(way, credentials, options)


def _way_of(client: Any, options: S3Options) -> Way | None:
    asked = {"Bucket": options.bucket, "Key": _PROBE}
    url = urlsplit(client.generate_presigned_url("put_object", Params=asked))
    query = parse_qs(url.query)
    scope = query.get("X-Amz-Credential", [""])[0].rpartition("/aws4_request")[0].split("/")[-2:]
    plain = query.get("X-Amz-Algorithm") == ["AWS4-HMAC-SHA256"] and scope[-1] == "s3"
    whole = f"{url.scheme}://{url.netloc}"
    if not plain or url.hostname is None or not url.path.endswith(_PROBE) or get_environ_proxies(whole):
        return None
    secure = url.scheme == "https"
    path = url.path.removesuffix(_PROBE)
    return Way(secure, url.hostname, url.port or (443 if secure else 80), path, scope[0])


class Lane:
    """Connections to one bucket, for any number of threads.

    :param credentials: boto3's, which are fetched anew where they run out.
    """

    def __init__(self, way: Way, credentials: Any, options: S3Options) -> None:
        self._way, self._credentials, self._options = way, credentials, options
        usual = 443 if way.secure else 80
        host = f"[{way.host}]" if ":" in way.host else way.host
        self._host = host if way.port == usual else f"{host}:{way.port}"
        self._url = f"{'https' if way.secure else 'http'}://{self._host}"
        self._tls: ssl.SSLContext | None = None
        if way.secure:
            trusted = get_cert_path(True) if options.ca_bundle is None else str(options.ca_bundle)
            self._tls = ssl.create_default_context(cafile=trusted)
        self._free: list[http.client.HTTPConnection] = []
        self._key = (("", ""), b"")
        self._parser: Any = create_parser("rest-xml")

    def close(self) -> None:
        """Let go of the connections."""
        while self._free:
            self._free.pop().close()

    def put(self, key: str, data: bytes, *, sha256: str, asked: Mapping[str, Any], sending: Sending) -> None:
        """Bring a file there.

        :param sha256: of the data, in hex.
        :param asked: the other arguments that boto3's ``put_object`` would have.
        :raises Unusual: boto3 is to do it; nothing was sent.
        :raises BotoCoreError: it went wrong as boto3 tells it; or a ``ClientError`` of it.
        """
        if not asked.keys() <= _HEADERS.keys():
            raise Unusual
        headers = {_HEADERS[name]: value for name, value in asked.items()} | {"content-length": str(len(data))}
        answer, body = self._exchange("PUT", key, headers, sha256, data, sending)
        self._refuse("PutObject", answer, body)

    def head(self, key: str) -> dict[str, Any] | None:
        """What the service tells of a file, as boto3 names it; None where there is none.

        :raises Unusual: boto3 is to do it.
        :raises BotoCoreError: as of ``put``.
        """
        answer, body = self._exchange("HEAD", key, {"x-amz-checksum-mode": "ENABLED"}, _EMPTY)
        if answer.status == 404:
            return None
        self._refuse("HeadObject", answer, body)
        told = {name: answer.headers[header] for name, header in _TOLD.items() if header in answer.headers}
        return told | {"ContentLength": int(answer.headers.get("content-length", -1))}

    def _refuse(self, doing: str, answer: Answer, body: bytes) -> None:
        if 300 <= answer.status < 400:
            raise Unusual  # it knows where to then
        if answer.status != 200:
            told = {"status_code": answer.status, "headers": answer.headers, "body": body}
            raise exceptions.ClientError(self._parser.parse(told, None), doing)

    def _exchange(
        self,
        method: str,
        key: str,
        headers: dict[str, str],
        sha256: str,
        data: bytes = b"",
        sending: Sending | None = None,
    ) -> tuple[Answer, bytes]:
        if _PLAIN.fullmatch(key) is None:
            raise Unusual
        head = self._signed(method, self._way.path + key, headers, sha256)
        with self._connected() as connection:
            assert connection.sock is not None
            # A service that refuses may close before it has all; what it said can be read still.
            with suppress(BrokenPipeError):
                _send(connection.sock, head, data, sending)
            response = http.client.HTTPResponse(connection.sock, method=method)
            try:
                response.begin()
                body = response.read()
                found = {name.lower(): value for name, value in response.headers.items()}
                if response.will_close:
                    connection.close()
            finally:
                response.close()
        return Answer(response.status, found), body

    @contextmanager
    def _connected(self) -> Iterator[http.client.HTTPConnection]:
        connection = self._taken()
        try:
            if connection.sock is None:
                self._connect(connection)
            yield connection
        except exceptions.BotoCoreError:
            connection.close()
            raise
        except TimeoutError as error:
            connection.close()
            raise exceptions.ReadTimeoutError(endpoint_url=self._url, error=error) from error
        except ssl.SSLError as error:
            connection.close()
            raise exceptions.SSLError(endpoint_url=self._url, error=error) from error
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise exceptions.ConnectionClosedError(endpoint_url=self._url, error=error) from error
        except BaseException:
            connection.close()
            raise
        if connection.sock is not None:
            self._free.append(connection)

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        connection.timeout = self._options.connect_timeout
        try:
            connection.connect()
        except ssl.SSLError:
            raise
        except TimeoutError as error:
            raise exceptions.ConnectTimeoutError(endpoint_url=self._url, error=error) from error
        except OSError as error:
            raise exceptions.EndpointConnectionError(endpoint_url=self._url, error=error) from error
        connection.sock.settimeout(self._options.read_timeout)

    def _taken(self) -> http.client.HTTPConnection:
        """A connection that is free, as far as it can be seen; else one that is not connected."""
        while self._free:
            try:
                connection = self._free.pop()
            except IndexError:  # another thread had it
                break
            # What can be read where nothing was asked is its end.
            if not _readable(connection.sock):
                return connection
            connection.close()
        if self._tls is not None:
            return http.client.HTTPSConnection(self._way.host, self._way.port, context=self._tls)
        return http.client.HTTPConnection(self._way.host, self._way.port)

    def _signed(self, method: str, path: str, headers: dict[str, str], sha256: str) -> bytes:
        who = self._credentials.get_frozen_credentials()
        now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        headers |= {"host": self._host, "x-amz-content-sha256": sha256, "x-amz-date": now}
        if who.token:
            headers["x-amz-security-token"] = who.token
        for value in headers.values():
            if not value.isprintable() or not value.isascii() or value != " ".join(value.split()):
                raise Unusual
        names = sorted(headers)
        signed = ";".join(names)
        lines = "".join(f"{name}:{headers[name]}\n" for name in names)
        request = f"{method}\n{path}\n\n{lines}\n{signed}\n{sha256}".encode()
        scope = f"{now[:8]}/{self._way.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(request).hexdigest()}".encode()
        signature = hmac.digest(self._signing_key(who.secret_key, now[:8]), text, "sha256").hex()
        by = f"AWS4-HMAC-SHA256 Credential={who.access_key}/{scope}, SignedHeaders={signed}, Signature={signature}"
        told = "".join(f"{name}: {headers[name]}\r\n" for name in names)
        return f"{method} {path} HTTP/1.1\r\n{told}authorization: {by}\r\n\r\n".encode()

    def _signing_key(self, secret: str, day: str) -> bytes:
        of, key = self._key
        if of != (secret, day):
            key = f"AWS4{secret}".encode()
            for word in (day, self._way.region, "s3", "aws4_request"):
                key = hmac.digest(key, word.encode(), "sha256")
            self._key = ((secret, day), key)
        return key


def _readable(connection: socket.socket | None) -> bool:
    """Whether something can be read at once; true also of none."""
    if connection is None:
        return True
    try:
        poll = select.poll()
    except AttributeError:  # gevent takes it away
        return bool(select.select([connection], [], [], 0)[0])
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _send(connection: socket.socket, head: bytes, data: bytes, sending: Sending | None) -> None:
    first, left = memoryview(data)[:_PIECE], memoryview(data)[_PIECE:]
    if sending is not None:
        sending.out(len(first))
    connection.sendall(head + first)
    while left:
        piece, left = left[:_PIECE], left[_PIECE:]
        if sending is not None:
            sending.out(len(piece))
        connection.sendall(piece)
