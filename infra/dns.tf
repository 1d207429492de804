# The names: challenge.<domain> is the page and, behind it, the API;
# api-challenge.<domain> is the load balancer and the name in the machines'
# certificate.

locals {
  page_domain = "challenge.${var.domain}"
  api_domain  = "api-challenge.${var.domain}"
  zone_id     = one(concat(aws_route53_zone.made[*].zone_id, data.aws_route53_zone.existing[*].id))
}

data "aws_route53_zone" "existing" {
  count = var.make_zone ? 0 : 1

  name         = var.domain
  private_zone = false
}

resource "aws_route53_zone" "made" {
  count = var.make_zone ? 1 : 0

  name    = var.domain
  comment = "Names of ${var.name}"

  tags = local.tags
}

resource "aws_route53_record" "api" {
  zone_id = local.zone_id
  name    = local.api_domain
  type    = "A"

  alias {
    name                   = aws_lb.balancer.dns_name
    zone_id                = aws_lb.balancer.zone_id
    evaluate_target_health = false # the only answer there is
  }
}

resource "aws_route53_record" "page" {
  for_each = toset(["A", "AAAA"])

  zone_id = local.zone_id
  name    = local.page_domain
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.page.domain_name
    zone_id                = aws_cloudfront_distribution.page.hosted_zone_id
    evaluate_target_health = false # CloudFront has no health to ask for
  }
}

# How the authority sees that the domain is ours. Each certificate has one name,
# and so one record.
locals {
  proof_api  = one(aws_acm_certificate.api.domain_validation_options)
  proof_page = one(aws_acm_certificate.page.domain_validation_options)
}

resource "aws_route53_record" "proof_api" {
  zone_id         = local.zone_id
  name            = local.proof_api.resource_record_name
  type            = local.proof_api.resource_record_type
  records         = [local.proof_api.resource_record_value]
  ttl             = 300
  allow_overwrite = true # left over from an earlier certificate of the same name
}

resource "aws_route53_record" "proof_page" {
  zone_id         = local.zone_id
  name            = local.proof_page.resource_record_name
  type            = local.proof_page.resource_record_type
  records         = [local.proof_page.resource_record_value]
  ttl             = 300
  allow_overwrite = true
}
