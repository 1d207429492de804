mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "names" {
  command = plan

  assert {
    condition     = aws_route53_record.api.name == "api-challenge.example.com" && aws_route53_record.api.type == "A" && aws_route53_record.api.alias[0].name == aws_lb.balancer.dns_name && aws_route53_record.api.alias[0].zone_id == aws_lb.balancer.zone_id
    error_message = "api-challenge.<domain> is an alias of the load balancer."
  }

  assert {
    condition     = alltrue([for type, record in aws_route53_record.page : record.name == "challenge.example.com" && record.type == type && record.alias[0].name == aws_cloudfront_distribution.page.domain_name && record.alias[0].zone_id == aws_cloudfront_distribution.page.hosted_zone_id])
    error_message = "challenge.<domain> is an alias of CloudFront."
  }

  assert {
    condition     = toset(keys(aws_route53_record.page)) == toset(["A", "AAAA"])
    error_message = "challenge.<domain> has addresses of both kinds."
  }

  assert {
    condition     = length(aws_route53_zone.made) == 0 && length(data.aws_route53_zone.existing) == 1 && data.aws_route53_zone.existing[0].name == "example.com" && data.aws_route53_zone.existing[0].private_zone == false
    error_message = "The public zone that exists is used unless another is asked for."
  }

  assert {
    condition     = alltrue([for record in [aws_route53_record.api, aws_route53_record.page["A"], aws_route53_record.page["AAAA"], aws_route53_record.proof_api, aws_route53_record.proof_page] : record.zone_id == "ZEXISTING0000"])
    error_message = "All names are in the zone of the domain."
  }

  assert {
    condition     = alltrue([for record in [aws_route53_record.proof_api, aws_route53_record.proof_page] : record.type == "CNAME" && record.records == toset(["_value.acm-validations.aws."]) && record.name == "_proof.x.example.com."])
    error_message = "The records that prove the domain to the certificate authority are those that it asks for."
  }

  assert {
    condition     = output.page == "https://challenge.example.com" && output.api == "https://api-challenge.example.com"
    error_message = "The outputs name the page and the API."
  }
}

run "a_zone_of_its_own" {
  command = plan

  variables {
    make_zone = true
  }

  assert {
    condition     = length(aws_route53_zone.made) == 1 && aws_route53_zone.made[0].name == "example.com" && aws_route53_record.api.zone_id == aws_route53_zone.made[0].zone_id
    error_message = "make_zone makes the zone of the domain and puts the names into it."
  }

  assert {
    condition     = length(output.name_servers) == length(aws_route53_zone.made[0].name_servers)
    error_message = "The output says where a zone that was made is to be delegated to."
  }
}
