# Network ACLs of the subnets, a second fence behind the security groups. They are
# stateless: an answer needs a rule of its own, to the client's port, 1024 or higher.

locals {
  everybody = "0.0.0.0/0"
  answers   = { from = 1024, to = 65535 }

  public_rules = {
    http    = { number = 100, from = 80, to = 80 }
    https   = { number = 110, from = 443, to = 443 }
    answers = { number = 120, from = local.answers.from, to = local.answers.to }
  }

  private_rules = {
    database    = { number = 100, from = 5432, to = 5432 }
    file_system = { number = 110, from = 2049, to = 2049 }
  }
}

resource "aws_network_acl" "public" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = aws_subnet.public[*].id

  tags = merge(local.tags, { Name = "${var.name}-public" })
}

# Clients, package mirrors, image registries and both remotes can have any address.
# The security groups restrict the traffic further.
resource "aws_network_acl_rule" "public_in" {
  for_each = local.public_rules

  network_acl_id = aws_network_acl.public.id
  egress         = false
  rule_number    = each.value.number
  rule_action    = "allow"
  protocol       = "tcp"
  cidr_block     = local.everybody #tfsec:ignore:aws-ec2-no-public-ingress-acl
  from_port      = each.value.from
  to_port        = each.value.to
}

resource "aws_network_acl_rule" "public_out" {
  for_each = local.public_rules

  network_acl_id = aws_network_acl.public.id
  egress         = true
  rule_number    = each.value.number
  rule_action    = "allow"
  protocol       = "tcp"
  cidr_block     = local.everybody
  from_port      = each.value.from
  to_port        = each.value.to
}

# "Fragmentation needed": without it, big packets vanish on some ways.
resource "aws_network_acl_rule" "public_size" {
  for_each = { in = false, out = true }

  network_acl_id = aws_network_acl.public.id
  egress         = each.value
  rule_number    = 130
  rule_action    = "allow"
  protocol       = "icmp"
  cidr_block     = local.everybody #tfsec:ignore:aws-ec2-no-public-ingress-acl
  icmp_type      = 3
  icmp_code      = 4
}

resource "aws_network_acl" "private" {
  vpc_id     = aws_vpc.main.id
  subnet_ids = aws_subnet.private[*].id

  tags = merge(local.tags, { Name = "${var.name}-private" })
}

resource "aws_network_acl_rule" "private_in" {
  for_each = local.private_rules

  network_acl_id = aws_network_acl.private.id
  egress         = false
  rule_number    = each.value.number
  rule_action    = "allow"
  protocol       = "tcp"
  cidr_block     = local.public_cidr
  from_port      = each.value.from
  to_port        = each.value.to
}

resource "aws_network_acl_rule" "private_out" {
  network_acl_id = aws_network_acl.private.id
  egress         = true
  rule_number    = 100
  rule_action    = "allow"
  protocol       = "tcp"
  cidr_block     = local.public_cidr
  from_port      = local.answers.from
  to_port        = local.answers.to
}
