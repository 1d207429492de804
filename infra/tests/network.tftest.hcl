mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "network" {
  command = plan

  assert {
    condition     = aws_vpc.main.cidr_block == "10.0.0.0/16" && aws_vpc.main.enable_dns_support && aws_vpc.main.enable_dns_hostnames
    error_message = "The network is 10.0.0.0/16 with DNS and host names."
  }

  assert {
    condition     = aws_subnet.public[*].availability_zone == ["us-east-1a", "us-east-1b"] && aws_subnet.private[*].availability_zone == ["us-east-1a", "us-east-1b"]
    error_message = "Subnets of both kinds are in us-east-1a and us-east-1b."
  }

  assert {
    condition     = length(toset(concat(aws_subnet.public[*].cidr_block, aws_subnet.private[*].cidr_block))) == 4 && alltrue([for cidr in concat(aws_subnet.public[*].cidr_block, aws_subnet.private[*].cidr_block) : cidrsubnet("${split("/", cidr)[0]}/16", 0, 0) == "10.0.0.0/16"])
    error_message = "Four subnets lie in the network, and none in another."
  }

  assert {
    condition     = alltrue([for s in aws_subnet.public : s.map_public_ip_on_launch]) && !anytrue([for s in aws_subnet.private : coalesce(s.map_public_ip_on_launch, false)])
    error_message = "Only machines in public subnets get a public address."
  }

  assert {
    condition     = alltrue([for s in concat(aws_subnet.public, aws_subnet.private) : s.vpc_id == aws_vpc.main.id]) && aws_internet_gateway.main.vpc_id == aws_vpc.main.id && aws_route_table.public.vpc_id == aws_vpc.main.id && aws_route_table.private.vpc_id == aws_vpc.main.id
    error_message = "Everything is in the one network."
  }

  assert {
    condition     = aws_route.out.route_table_id == aws_route_table.public.id && aws_route.out.destination_cidr_block == "0.0.0.0/0" && aws_route.out.gateway_id == aws_internet_gateway.main.id
    error_message = "The public route table leads to the internet."
  }

  assert {
    condition     = [for a in aws_route_table_association.public : [a.subnet_id, a.route_table_id]] == [for s in aws_subnet.public : [s.id, aws_route_table.public.id]]
    error_message = "Public subnets have the public route table."
  }

  assert {
    condition     = [for a in aws_route_table_association.private : [a.subnet_id, a.route_table_id]] == [for s in aws_subnet.private : [s.id, aws_route_table.private.id]]
    error_message = "Private subnets have the route table without a way out."
  }

  assert {
    condition     = aws_network_acl.public.subnet_ids == toset(aws_subnet.public[*].id) && aws_network_acl.private.subnet_ids == toset(aws_subnet.private[*].id)
    error_message = "Each subnet has the list of its kind."
  }

  assert {
    condition     = toset([for r in aws_network_acl_rule.public_in : "${r.from_port}-${r.to_port}"]) == toset(["80-80", "443-443", "1024-65535"]) && alltrue([for r in aws_network_acl_rule.public_in : !coalesce(r.egress, false) && r.protocol == "tcp" && r.cidr_block == "0.0.0.0/0" && r.rule_action == "allow" && r.network_acl_id == aws_network_acl.public.id])
    error_message = "The public list lets in HTTP, HTTPS and answers, and nothing else."
  }

  assert {
    condition     = toset([for r in aws_network_acl_rule.public_out : "${r.from_port}-${r.to_port}"]) == toset(["80-80", "443-443", "1024-65535"]) && alltrue([for r in aws_network_acl_rule.public_out : r.egress && r.protocol == "tcp" && r.cidr_block == "0.0.0.0/0" && r.rule_action == "allow" && r.network_acl_id == aws_network_acl.public.id])
    error_message = "The public list lets out HTTP, HTTPS and answers, and nothing else."
  }

  assert {
    condition     = alltrue([for name, r in aws_network_acl_rule.public_size : r.protocol == "icmp" && r.icmp_type == 3 && r.icmp_code == 4 && r.rule_action == "allow" && r.egress == (name == "out") && r.network_acl_id == aws_network_acl.public.id]) && length(aws_network_acl_rule.public_size) == 2
    error_message = "The public list lets through that a packet is too big."
  }

  assert {
    condition     = toset([for r in aws_network_acl_rule.private_in : "${r.from_port}-${r.to_port}"]) == toset(["5432-5432", "2049-2049"]) && alltrue([for r in aws_network_acl_rule.private_in : !coalesce(r.egress, false) && r.protocol == "tcp" && r.cidr_block == "10.0.0.0/23" && r.rule_action == "allow" && r.network_acl_id == aws_network_acl.private.id])
    error_message = "The private list lets in database and file system from the public subnets, and nothing else."
  }

  assert {
    condition     = aws_network_acl_rule.private_out.egress && aws_network_acl_rule.private_out.from_port == 1024 && aws_network_acl_rule.private_out.to_port == 65535 && aws_network_acl_rule.private_out.protocol == "tcp" && aws_network_acl_rule.private_out.cidr_block == "10.0.0.0/23" && aws_network_acl_rule.private_out.rule_action == "allow" && aws_network_acl_rule.private_out.network_acl_id == aws_network_acl.private.id
    error_message = "The private list lets out answers to the public subnets, and nothing else."
  }
}

run "another_region" {
  command = plan

  override_data {
    target = data.aws_region.current
    values = { region = "eu-north-1" }
  }

  variables {
    region        = "eu-north-1"
    instance_type = "t3.small"
  }

  assert {
    condition     = aws_subnet.public[*].availability_zone == ["eu-north-1a", "eu-north-1b"] && aws_subnet.private[*].availability_zone == ["eu-north-1a", "eu-north-1b"]
    error_message = "In another region the subnets are in its first two zones."
  }

  assert {
    condition     = strcontains(base64decode(aws_launch_template.machine.user_data), "eu-north-1") && !strcontains(base64decode(aws_launch_template.machine.user_data), "us-east-1 ")
    error_message = "Machines are told their own region."
  }
}

run "a_region_that_is_not_the_provider_s" {
  command = plan

  variables {
    region = "eu-north-1"
  }

  expect_failures = [data.aws_region.current]
}
