"""The client of a service that speaks S3: where it is, who we are, how long we wait."""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config

from fsivr.exporter.s3lane import Lane, lane_of
from fsivr.exporter.s3options import S3Options
from fsivr.exporter.sending import Piece

#: Bytes that may go in vain, where a file is refused.
SMALL = 1024 * 1024


def client(options: S3Options) -> tuple[Any, Lane | None]:
    """A client of S3 and the lane beside it, where there can be one, for any number of threads.

    Both connect at their first request.
    """
    session = boto3.session.Session(
        aws_access_key_id=options.key_id,
        aws_secret_access_key=options.secret,
        aws_session_token=options.session_token,
        region_name=options.region,
    )
    made = session.client(
        "s3",
        endpoint_url=options.endpoint,
        # Many services at an endpoint of their own ask for no region, but signing does.
        region_name=session.region_name or ("us-east-1" if options.endpoint else None),
        verify=True if options.ca_bundle is None else str(options.ca_bundle),
        config=_config(options),
    )
    # By then it is signed, which has read it once already.
    made.meta.events.register("before-send.s3", _goes_out)
    made.meta.events.register_last("before-call.s3", _at_once)
    return made, lane_of(made, session.get_credentials(), options)


def _config(options: S3Options) -> Config:
    style: Any = {"addressing_style": options.addressing}
    return Config(
        signature_version="s3v4",
        s3=style,
        connect_timeout=options.connect_timeout,
        read_timeout=options.read_timeout,
        max_pool_connections=options.concurrency + 4,
        # Whoever runs the export tries again, and tells of it.
        retries={"total_max_attempts": 1},
        # We give our own SHA-256; what boto3 would add makes some services refuse the file.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )


def _at_once(params: dict[str, Any], **_: Any) -> None:
    # boto3 asks first whether a file may come, and waits for the answer: a turn of the network for each small file,
    # and a whole second with services that do not know the question.
    if isinstance(params.get("body"), Piece) and len(params["body"]) <= SMALL:
        params["headers"].pop("Expect", None)


def _goes_out(request: Any, **_: Any) -> None:
    if isinstance(request.body, Piece):
        request.body.goes_out = True
