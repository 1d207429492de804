# Resources in us-east-1 have the region in their ARN.

mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/page"
    domain_validation_options = [{
      domain_name           = "x.example.com"
      resource_record_name  = "_proof.x.example.com."
      resource_record_type  = "CNAME"
      resource_record_value = "_value.acm-validations.aws."
    }]
  }
}

mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/gistdeal-page/1" }
}
