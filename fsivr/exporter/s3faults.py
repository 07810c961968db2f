"""What went wrong with S3, sorted into what may be tried again and what needs somebody, with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore import exceptions

from fsivr.errors import ExportError, PermanentError, TransientError

#: What somebody has to do, by the code of an error as
#: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html and other services have them.
_ADVICE = {
    "AccessDenied": "allow the key s3:PutObject, s3:GetObject, s3:ListBucket, s3:DeleteObject, "
    "s3:AbortMultipartUpload and s3:ListMultipartUploadParts on this bucket and prefix",
    "AllAccessDisabled": "ask the service to open the account again",
    "AccountProblem": "ask the service what is wrong with the account",
    "NoSuchBucket": "make the bucket, or correct its name or the endpoint",
    "InvalidBucketName": "correct the bucket's name",
    "InvalidAccessKeyId": "the service does not know the key id: correct it, or make a new key",
    "SignatureDoesNotMatch": "the secret is not that of the key id: correct it",
    "InvalidToken": "the session token is not valid: get a new one",
    "ExpiredToken": "the session token has run out: get a new one",
    "RequestTimeTooSkewed": "this machine's clock is wrong: set it, and keep it with NTP",
    "RequestExpired": "this machine's clock is wrong: set it, and keep it with NTP",
    "PermanentRedirect": "the bucket is in another region or at another endpoint: set that one",
    "TemporaryRedirect": "the bucket is in another region or at another endpoint: set that one",
    "AuthorizationHeaderMalformed": "the region is not the bucket's: set that one",
    "IllegalLocationConstraintException": "the region is not the bucket's: set that one",
    "QuotaExceeded": "the bucket's quota is used up: raise it, or remove something",
    "XMinioAdminBucketQuotaExceeded": "the bucket's quota is used up: raise it, or remove something",
    "XMinioStorageFull": "the service's disks are full: add some, or remove something",
    "InsufficientStorage": "the service's disks are full: add some, or remove something",
    "EntityTooLarge": "the service does not take files or parts of this size: use smaller parts",
    "InvalidStorageClass": "the service has no such storage class",
    "InvalidObjectState": "the file is in a cold archive: restore it there first",
    "KMS.NotFoundException": "there is no such KMS key: correct its id",
    "KMS.DisabledException": "the KMS key is disabled: enable it",
    "KMS.KMSInvalidStateException": "the KMS key cannot be used as it is: see its state",
    "KMS.AccessDeniedException": "allow the key kms:GenerateDataKey and kms:Decrypt with this KMS key",
    "NotImplemented": "the service does not offer this: leave out the encryption, lock or storage class",
    "InvalidArgument": "the service does not take one of the settings: encryption, lock or storage class",
    "InvalidRequest": "the service does not take the request as it is: an object lock needs a bucket made with one",
    "MethodNotAllowed": "the file may not be removed: it is on hold there",
    "403": "the key is not allowed this: see its policy",
    "301": "the bucket is in another region or at another endpoint: set that one",
}

#: Below 500, and yet no fault of ours that lasts: what came was spoilt on the way, or it is too much at once.
_AGAIN = {
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "TooManyRequests",
    "RequestTimeout",
    "RequestTimeoutException",
    "OperationAborted",
    "ConditionalRequestConflict",
    "BadDigest",
    "InvalidDigest",
    "IncompleteBody",
    "XAmzContentSHA256Mismatch",
    "XAmzContentChecksumMismatch",
    "NoSuchUpload",
    "InvalidPart",
    "InvalidPartOrder",
    "KMS.ThrottlingException",
}

_LASTING = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
    exceptions.ParamValidationError,
    exceptions.InvalidRegionError,
    exceptions.ProfileNotFound,
)


def code(error: BaseException) -> str:
    """The code of a service's error, as ``NoSuchKey``; empty where it is no such error."""
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    return str(answer.get("Error", {}).get("Code", ""))


def status(error: BaseException) -> int:
    """The HTTP status of a service's error; 0 where it is no such error."""
    answer: dict[str, Any] = getattr(error, "response", None) or {}
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


class Faults:
    """The faults of one target: each with its name, and without its secrets.

    :param name: of the target.
    :param secrets: what no message may hold.
    """

    def __init__(self, name: str, secrets: tuple[str, ...]) -> None:
        self._name = name
        self._secrets = secrets

    @contextmanager
    def sorted(self, doing: str) -> Iterator[None]:
        """A block whose faults are raised as ``TransientError`` or ``PermanentError``.

        :param doing: what the block does, as "put x.wav".
        """
        try:
            yield
        except exceptions.ClientError as error:
            raise self._refused(doing, error) from error
        except exceptions.SSLError as error:
            raise self._unsafe(doing, error) from error
        except _LASTING as error:
            raise PermanentError(self._text(doing, f"{error}")) from error
        except exceptions.BotoCoreError as error:
            raise TransientError(self._text(doing, f"{error}")) from error

    def _refused(self, doing: str, error: exceptions.ClientError) -> ExportError:
        name, number = code(error), status(error)
        said = f"{name} ({number}) {error.response.get('Error', {}).get('Message', '')}"
        advice = _ADVICE.get(name)
        if advice is None and name.startswith("KMS."):
            advice = "see the KMS key: its id, its policy, its state"
        if number == 507:
            advice = advice or _ADVICE["InsufficientStorage"]
        if name in _AGAIN or (advice is None and (number >= 500 or number in (0, 408, 425, 429))):
            return TransientError(self._text(doing, said))
        return PermanentError(self._text(doing, f"{said}; {advice or 'the service refuses this each time'}"))

    def _unsafe(self, doing: str, error: exceptions.SSLError) -> ExportError:
        said = f"{error}"
        if "CERTIFICATE_VERIFY_FAILED" in said or "doesn't match" in said:
            advice = "the certificate is not one of this endpoint from an authority that is trusted: see `ca_bundle`"
            return PermanentError(self._text(doing, f"{said}; {advice}"))
        if "WRONG_VERSION_NUMBER" in said or "record layer failure" in said:
            return PermanentError(self._text(doing, f"{said}; the endpoint does not speak TLS at this port"))
        return TransientError(self._text(doing, said))

    def _text(self, doing: str, said: str) -> str:
        for secret in self._secrets:
            said = said.replace(secret, "***")
        # What a server says is text from outside.
        said = "".join(letter if letter.isprintable() else " " for letter in said)[:500]
        return f"{self._name}: {doing}: {said}"
