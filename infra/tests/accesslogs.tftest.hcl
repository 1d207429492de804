mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "accesslogs" {
  command = plan

  assert {
    condition     = aws_lb.balancer.access_logs[0].enabled && aws_lb.balancer.access_logs[0].bucket == aws_s3_bucket.logs.id
    error_message = "The load balancer logs requests."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.logs.policy).Statement == [{ Sid = "LoadBalancersOfThisAccountWrite", Effect = "Allow", Action = "s3:PutObject", Resource = "${aws_s3_bucket.logs.arn}/AWSLogs/123456789012/*", Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" } }]
    error_message = "Only load balancers write to the bucket, and nobody reads it by its policy."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.logs.block_public_acls && aws_s3_bucket_public_access_block.logs.block_public_policy && aws_s3_bucket_public_access_block.logs.ignore_public_acls && aws_s3_bucket_public_access_block.logs.restrict_public_buckets && one(aws_s3_bucket_ownership_controls.logs.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket of logs is private."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.logs.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256"
    error_message = "Logs are encrypted with keys of S3, the only ones that load balancers write with."
  }

  assert {
    condition     = aws_s3_bucket_lifecycle_configuration.logs.rule[0].status == "Enabled" && aws_s3_bucket_lifecycle_configuration.logs.rule[0].expiration[0].days == var.log_days
    error_message = "Addresses of clients are kept as long as other logs, and no longer."
  }

  assert {
    condition     = aws_s3_bucket.logs.force_destroy
    error_message = "One destroy takes the logs away."
  }
}
