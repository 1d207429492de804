# The page: its files in a private bucket, CloudFront before it, and the API
# behind the same name, so that browsers need no CORS.

locals {
  page_folder = "${path.module}/../internal/web/static"
  page_files  = fileset(local.page_folder, "**")

  # An ending that is not here fails the plan: a module of a wrong type does not run.
  content_types = {
    html = "text/html; charset=utf-8"
    js   = "text/javascript; charset=utf-8"
    css  = "text/css; charset=utf-8"
    svg  = "image/svg+xml"
  }

  # Paths that the program answers; all others are files of the page.
  api_paths = ["/api/*", "/user/*", "/trackedusers", "/login*", "/logout"]

  # The headers that the program sends with its own page.
  page_policy = join("; ", [
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:",
    "connect-src 'self'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'",
  ])
}

# The files are in git, and nobody reads access logs of them.
#tfsec:ignore:aws-s3-enable-versioning
#tfsec:ignore:aws-s3-enable-bucket-logging
resource "aws_s3_bucket" "page" {
  bucket_prefix = "${var.name}-page-"
  force_destroy = true

  tags = local.tags
}

resource "aws_s3_bucket_public_access_block" "page" {
  bucket                  = aws_s3_bucket.page.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "page" {
  bucket = aws_s3_bucket.page.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

#tfsec:ignore:aws-s3-encryption-customer-key -- CloudFront cannot read by a key of our own without a policy on it, and these files are public
resource "aws_s3_bucket_server_side_encryption_configuration" "page" {
  bucket = aws_s3_bucket.page.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_policy" "page" {
  bucket = aws_s3_bucket.page.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyThisDistributionReads"
      Effect    = "Allow"
      Action    = "s3:GetObject"
      Resource  = "${aws_s3_bucket.page.arn}/*"
      Principal = { Service = "cloudfront.amazonaws.com" }
      Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.page.arn } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.page]
}

resource "aws_s3_object" "page" {
  for_each = local.page_files

  bucket        = aws_s3_bucket.page.id
  key           = each.key
  source        = "${local.page_folder}/${each.key}"
  etag          = filemd5("${local.page_folder}/${each.key}")
  content_type  = local.content_types[regex("[^.]*$", each.key)]
  cache_control = "no-cache" # ask each time: no browser mixes old files with new ones
}

resource "aws_cloudfront_origin_access_control" "page" {
  name                              = "${var.name}-page"
  description                       = "The page's bucket"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_response_headers_policy" "page" {
  name    = "${var.name}-page"
  comment = "The headers that the program sends with its own page"

  security_headers_config {
    content_security_policy {
      content_security_policy = local.page_policy
      override                = true
    }

    content_type_options {
      override = true
    }

    referrer_policy {
      referrer_policy = "no-referrer"
      override        = true
    }

    strict_transport_security {
      access_control_max_age_sec = 31536000
      override                   = true
    }
  }

  custom_headers_config {
    items {
      header   = "Cross-Origin-Opener-Policy"
      value    = "same-origin"
      override = true
    }
  }
}

data "aws_cloudfront_cache_policy" "optimized" {
  name = "Managed-CachingOptimized"
}

data "aws_cloudfront_cache_policy" "disabled" {
  name = "Managed-CachingDisabled"
}

# All that the browser sent, Authorization too, but for the name by which it
# called: the load balancer's certificate is for its own.
data "aws_cloudfront_origin_request_policy" "all_but_host" {
  name = "Managed-AllViewerExceptHostHeader"
}

#tfsec:ignore:aws-cloudfront-enable-logging -- the program logs its requests; nobody reads access logs of the page's files
#tfsec:ignore:aws-cloudfront-enable-waf -- var.firewall adds one; the program limits requests itself
resource "aws_cloudfront_distribution" "page" {
  enabled             = true
  comment             = "The page of ${var.name}, and its API"
  aliases             = [local.page_domain]
  default_root_object = "index.html"
  http_version        = "http2and3"
  is_ipv6_enabled     = true
  price_class         = "PriceClass_100"
  web_acl_id          = one(aws_wafv2_web_acl.page[*].arn)

  origin {
    origin_id                = "page"
    domain_name              = aws_s3_bucket.page.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.page.id
  }

  origin {
    origin_id   = "api"
    domain_name = local.api_domain

    # It replaces a header of that name from a viewer.
    custom_header {
      name  = "X-Origin-Verify"
      value = random_password.origin.result
    }

    custom_origin_config {
      origin_protocol_policy   = "https-only"
      origin_ssl_protocols     = ["TLSv1.2"]
      http_port                = 80
      https_port               = 443
      origin_read_timeout      = local.limits.origin_read
      origin_keepalive_timeout = 60
    }
  }

  default_cache_behavior {
    target_origin_id           = "page"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = data.aws_cloudfront_cache_policy.optimized.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.page.id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.api_paths

    content {
      path_pattern             = ordered_cache_behavior.value
      target_origin_id         = "api"
      viewer_protocol_policy   = "https-only" # a token must not travel in the clear first
      allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
      cached_methods           = ["GET", "HEAD"]
      cache_policy_id          = data.aws_cloudfront_cache_policy.disabled.id
      origin_request_policy_id = data.aws_cloudfront_origin_request_policy.all_but_host.id
    }
  }

  viewer_certificate {
    acm_certificate_arn      = aws_acm_certificate_validation.page.certificate_arn
    minimum_protocol_version = "TLSv1.2_2021"
    ssl_support_method       = "sni-only"
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  tags = local.tags

  # Otherwise the first requests find no load balancer behind the name.
  depends_on = [aws_lb_listener.https, aws_route53_record.api]
}
