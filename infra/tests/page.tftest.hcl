mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "page" {
  command = plan

  assert {
    condition     = aws_s3_bucket_public_access_block.page.block_public_acls && aws_s3_bucket_public_access_block.page.block_public_policy && aws_s3_bucket_public_access_block.page.ignore_public_acls && aws_s3_bucket_public_access_block.page.restrict_public_buckets && aws_s3_bucket_public_access_block.page.bucket == aws_s3_bucket.page.id
    error_message = "The bucket is private."
  }

  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.page.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "AES256" && aws_s3_bucket_server_side_encryption_configuration.page.bucket == aws_s3_bucket.page.id
    error_message = "The bucket is encrypted with keys of S3."
  }

  assert {
    condition     = one(aws_s3_bucket_ownership_controls.page.rule).object_ownership == "BucketOwnerEnforced"
    error_message = "The bucket knows no access lists."
  }

  assert {
    condition     = aws_s3_bucket.page.force_destroy
    error_message = "One destroy takes the bucket away."
  }

  assert {
    condition     = jsondecode(aws_s3_bucket_policy.page.policy).Statement == [{ Sid = "OnlyThisDistributionReads", Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.page.arn}/*", Principal = { Service = "cloudfront.amazonaws.com" }, Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.page.arn } } }]
    error_message = "Only this distribution reads the bucket."
  }

  assert {
    condition     = toset(keys(aws_s3_object.page)) == fileset("../internal/web/static", "**") && contains(keys(aws_s3_object.page), "index.html")
    error_message = "The bucket holds the page's files, all of them."
  }

  assert {
    condition     = alltrue([for name, o in aws_s3_object.page : o.key == name && o.etag == filemd5("../internal/web/static/${name}") && endswith(o.source, "/internal/web/static/${name}")])
    error_message = "A changed file is sent anew."
  }

  assert {
    condition     = alltrue([for o in aws_s3_object.page : o.cache_control == "no-cache"])
    error_message = "Browsers ask for a newer page each time."
  }

  assert {
    condition     = alltrue([for name, o in aws_s3_object.page : o.content_type == { html = "text/html; charset=utf-8", js = "text/javascript; charset=utf-8", css = "text/css; charset=utf-8", svg = "image/svg+xml" }[regex("[^.]*$", name)]])
    error_message = "Each file has its content type."
  }

  assert {
    condition     = aws_cloudfront_distribution.page.enabled && aws_cloudfront_distribution.page.aliases == toset(["challenge.example.com"]) && aws_cloudfront_distribution.page.default_root_object == "index.html"
    error_message = "CloudFront serves the page at challenge.<domain>."
  }

  assert {
    condition     = aws_cloudfront_origin_access_control.page.signing_behavior == "always" && aws_cloudfront_origin_access_control.page.signing_protocol == "sigv4" && aws_cloudfront_origin_access_control.page.origin_access_control_origin_type == "s3" && anytrue([for o in aws_cloudfront_distribution.page.origin : o.origin_id == "page" && o.origin_access_control_id == aws_cloudfront_origin_access_control.page.id && o.domain_name == aws_s3_bucket.page.bucket_regional_domain_name])
    error_message = "CloudFront reads the bucket by its origin access control."
  }

  assert {
    condition     = aws_cloudfront_distribution.page.default_cache_behavior[0].target_origin_id == "page" && aws_cloudfront_distribution.page.default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https"
    error_message = "The page is served by HTTPS only."
  }

  assert {
    condition     = aws_cloudfront_distribution.page.default_cache_behavior[0].response_headers_policy_id == aws_cloudfront_response_headers_policy.page.id
    error_message = "The page has the security headers."
  }

  assert {
    condition     = alltrue([for header in concat(aws_cloudfront_response_headers_policy.page.security_headers_config[0].content_security_policy[*].override, aws_cloudfront_response_headers_policy.page.security_headers_config[0].content_type_options[*].override, aws_cloudfront_response_headers_policy.page.security_headers_config[0].referrer_policy[*].override, aws_cloudfront_response_headers_policy.page.security_headers_config[0].strict_transport_security[*].override) : header]) && length(aws_cloudfront_response_headers_policy.page.security_headers_config[0].content_type_options) == 1
    error_message = "No file has other security headers."
  }

  assert {
    condition     = aws_cloudfront_distribution.page.default_cache_behavior[0].cache_policy_id == "cache-optimized"
    error_message = "The page is cached."
  }

  assert {
    condition     = [for b in aws_cloudfront_distribution.page.ordered_cache_behavior : b.path_pattern] == ["/api/*", "/user/*", "/trackedusers", "/login*", "/logout"] && alltrue([for b in aws_cloudfront_distribution.page.ordered_cache_behavior : b.target_origin_id == "api"])
    error_message = "What the program answers goes to the program."
  }

  assert {
    condition     = alltrue([for b in aws_cloudfront_distribution.page.ordered_cache_behavior : b.cache_policy_id == "cache-disabled"])
    error_message = "The answers of the program are not cached."
  }

  assert {
    condition     = alltrue([for b in aws_cloudfront_distribution.page.ordered_cache_behavior : b.origin_request_policy_id == "all-but-host"]) && data.aws_cloudfront_origin_request_policy.all_but_host.name == "Managed-AllViewerExceptHostHeader" && data.aws_cloudfront_cache_policy.disabled.name == "Managed-CachingDisabled"
    error_message = "The program sees all that the browser sent, but for the Host."
  }

  assert {
    condition     = alltrue([for b in aws_cloudfront_distribution.page.ordered_cache_behavior : b.allowed_methods == toset(["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"])])
    error_message = "The program may be asked by all methods."
  }

  assert {
    condition     = alltrue([for b in aws_cloudfront_distribution.page.ordered_cache_behavior : b.viewer_protocol_policy == "https-only"])
    error_message = "Tokens travel by HTTPS only."
  }

  assert {
    condition     = anytrue([for o in aws_cloudfront_distribution.page.origin : o.origin_id == "api" && o.domain_name == "api-challenge.example.com" && alltrue([for c in o.custom_origin_config : c.origin_protocol_policy == "https-only" && c.https_port == 443 && c.origin_ssl_protocols == toset(["TLSv1.2"])])])
    error_message = "CloudFront reaches the program by HTTPS under the name of its certificate."
  }

  assert {
    condition     = length(aws_cloudfront_distribution.page.custom_error_response) == 0
    error_message = "The program's errors reach the reader as they are."
  }

  assert {
    condition     = aws_cloudfront_distribution.page.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" && aws_cloudfront_distribution.page.viewer_certificate[0].ssl_support_method == "sni-only"
    error_message = "Browsers speak TLS 1.2 or newer."
  }
}
