mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "none" {
  command = plan

  assert {
    condition     = length(aws_wafv2_web_acl.page) == 0 && aws_cloudfront_distribution.page.web_acl_id == null
    error_message = "There is a firewall only if one is asked for."
  }
}

run "one" {
  command = plan

  variables {
    firewall = true
  }

  assert {
    condition     = aws_wafv2_web_acl.page[0].scope == "CLOUDFRONT" && aws_wafv2_web_acl.page[0].region == "us-east-1" && aws_cloudfront_distribution.page.web_acl_id == aws_wafv2_web_acl.page[0].arn
    error_message = "The firewall is before CloudFront."
  }

  assert {
    condition     = toset([for r in aws_wafv2_web_acl.page[0].rule : r.name]) == toset(["too-many-requests", "AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet"])
    error_message = "The firewall refuses floods and what Amazon knows for bad, and no large body."
  }
}
