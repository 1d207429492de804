# The certificates for clients. Resources refer to the validation of a certificate,
# not to the certificate: AWS refuses an unvalidated one, minutes later.

resource "aws_acm_certificate" "api" {
  domain_name       = local.api_domain
  validation_method = "DNS"

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate_validation" "api" {
  certificate_arn         = aws_acm_certificate.api.arn
  validation_record_fqdns = [aws_route53_record.proof_api.fqdn]

  # A delegation that is an hour old is known everywhere; without one, nothing helps.
  timeouts {
    create = "60m"
  }
}

resource "aws_acm_certificate" "page" {
  region            = "us-east-1" # CloudFront takes certificates from there only
  domain_name       = local.page_domain
  validation_method = "DNS"

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate_validation" "page" {
  region                  = "us-east-1"
  certificate_arn         = aws_acm_certificate.page.arn
  validation_record_fqdns = [aws_route53_record.proof_page.fqdn]

  timeouts {
    create = "60m"
  }
}
