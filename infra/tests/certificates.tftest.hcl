mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "certificates" {
  command = plan

  assert {
    condition     = aws_acm_certificate.api.domain_name == "api-challenge.example.com" && aws_acm_certificate.api.validation_method == "DNS"
    error_message = "The load balancer's certificate is for api-challenge.<domain>, validated by DNS."
  }

  assert {
    condition     = aws_acm_certificate.page.domain_name == "challenge.example.com" && aws_acm_certificate.page.validation_method == "DNS"
    error_message = "CloudFront's certificate is for challenge.<domain>, validated by DNS."
  }

  assert {
    condition     = aws_acm_certificate.page.region == "us-east-1" && aws_acm_certificate_validation.page.region == "us-east-1"
    error_message = "CloudFront's certificate is made in us-east-1."
  }

  assert {
    condition     = aws_acm_certificate.api.region == "the provider's" && aws_acm_certificate_validation.api.region == "the provider's"
    error_message = "The load balancer's certificate is made in its region."
  }

  assert {
    condition     = aws_acm_certificate_validation.api.certificate_arn == aws_acm_certificate.api.arn && aws_acm_certificate_validation.api.validation_record_fqdns == toset([aws_route53_record.proof_api.fqdn])
    error_message = "The load balancer's certificate is validated by its own record."
  }

  assert {
    condition     = aws_acm_certificate_validation.page.certificate_arn == aws_acm_certificate.page.arn && aws_acm_certificate_validation.page.validation_record_fqdns == toset([aws_route53_record.proof_page.fqdn])
    error_message = "CloudFront's certificate is validated by its own record."
  }

  assert {
    condition     = aws_lb_listener.https.certificate_arn == aws_acm_certificate.api.arn
    error_message = "The load balancer shows its own certificate."
  }

  assert {
    condition     = aws_cloudfront_distribution.page.viewer_certificate[0].acm_certificate_arn == aws_acm_certificate.page.arn
    error_message = "CloudFront shows its own certificate."
  }
}
