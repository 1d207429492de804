mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "limits" {
  command = plan

  assert {
    condition     = local.limits.event_ping < local.limits.request_wait && local.limits.request_wait < local.limits.origin_read && local.limits.origin_read < local.limits.idle && local.limits.idle < local.limits.proxy_read
    error_message = "Who stands nearer to the reader gives up first: event ping < answer wait < CloudFront < load balancer < nginx."
  }

  assert {
    condition     = local.limits.drain < local.limits.stop
    error_message = "A machine is drained before it is stopped."
  }

  assert {
    condition     = local.limits.origin_read <= 60
    error_message = "CloudFront waits no longer than Amazon allows without a raised quota."
  }

  assert {
    condition     = aws_lb.balancer.idle_timeout == local.limits.idle
    error_message = "The load balancer waits as the table says."
  }

  assert {
    condition     = alltrue([for o in aws_cloudfront_distribution.page.origin : one(o.custom_origin_config).origin_read_timeout == local.limits.origin_read if o.origin_id == "api"])
    error_message = "CloudFront waits as the table says."
  }

  assert {
    condition     = toset(keys(local.limits)) == toset(["event_ping", "request_wait", "origin_read", "idle", "proxy_read", "drain", "stop"])
    error_message = "The table has the limits that the start-up script is written for."
  }

  assert {
    condition     = alltrue([for o in aws_cloudfront_distribution.page.origin : one(o.custom_origin_config).origin_keepalive_timeout < local.limits.idle if o.origin_id == "api"])
    error_message = "CloudFront closes idle connections before the load balancer does."
  }
}
