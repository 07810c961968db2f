"""The nightly run: recordings brought to S3, SFTP or FTPS, and each arrival proved."""
