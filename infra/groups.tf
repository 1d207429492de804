# The allowed connections. Only the load balancer reaches the machines; port 22 is
# closed everywhere (Session Manager does not need it).

# Resources without a group get this one, which allows nothing.
resource "aws_default_security_group" "none" {
  vpc_id = aws_vpc.main.id

  tags = local.tags
}

# A group in use cannot be deleted: should it be replaced, its successor comes first,
# under another name.
resource "aws_security_group" "balancer" {
  name_prefix = "${var.name}-balancer-"
  description = "Load balancer"
  vpc_id      = aws_vpc.main.id

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "balancer" {
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.balancer.id
  description       = "Clients, by ${each.key}"
  cidr_ipv4         = "0.0.0.0/0" #tfsec:ignore:aws-ec2-no-public-ingress-sgr -- it is what clients call
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value

  tags = local.tags
}

resource "aws_vpc_security_group_egress_rule" "balancer" {
  for_each = { http = 80, https = 443 }

  security_group_id            = aws_security_group.balancer.id
  description                  = "Machines, by ${each.key}"
  referenced_security_group_id = aws_security_group.machines.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value

  tags = local.tags
}

resource "aws_security_group" "machines" {
  name_prefix = "${var.name}-machines-"
  description = "Machines"
  vpc_id      = aws_vpc.main.id

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "machines" {
  for_each = { http = 80, https = 443 }

  security_group_id            = aws_security_group.machines.id
  description                  = "Load balancer, by ${each.key}"
  referenced_security_group_id = aws_security_group.balancer.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value

  tags = local.tags
}

# Packages, the image, AWS, GitHub, Pipedrive and the certificate authority have
# no fixed addresses.
resource "aws_vpc_security_group_egress_rule" "machines" {
  for_each = { http = 80, https = 443 }

  security_group_id = aws_security_group.machines.id
  description       = "Packages, image and remotes, by ${each.key}"
  cidr_ipv4         = "0.0.0.0/0" #tfsec:ignore:aws-ec2-no-public-egress-sgr
  ip_protocol       = "tcp"
  from_port         = each.value
  to_port           = each.value

  tags = local.tags
}

resource "aws_vpc_security_group_egress_rule" "machines_database" {
  count = var.database_url_parameter == "" ? 1 : 0

  security_group_id            = aws_security_group.machines.id
  description                  = "Database"
  referenced_security_group_id = aws_security_group.database[0].id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432

  tags = local.tags
}

resource "aws_vpc_security_group_egress_rule" "machines_existing_database" {
  count = var.database_url_parameter == "" ? 0 : 1

  security_group_id = aws_security_group.machines.id
  description       = "Database that existed"
  cidr_ipv4         = var.database_cidr
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432

  tags = local.tags
}

resource "aws_vpc_security_group_egress_rule" "machines_file_system" {
  count = var.shared_file_system ? 1 : 0

  security_group_id            = aws_security_group.machines.id
  description                  = "File system"
  referenced_security_group_id = aws_security_group.file_system[0].id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049

  tags = local.tags
}

resource "aws_security_group" "database" {
  count = var.database_url_parameter == "" ? 1 : 0

  name_prefix = "${var.name}-database-"
  description = "Database"
  vpc_id      = aws_vpc.main.id

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "database" {
  count = var.database_url_parameter == "" ? 1 : 0

  security_group_id            = aws_security_group.database[0].id
  description                  = "Machines"
  referenced_security_group_id = aws_security_group.machines.id
  ip_protocol                  = "tcp"
  from_port                    = 5432
  to_port                      = 5432

  tags = local.tags
}

resource "aws_security_group" "file_system" {
  count = var.shared_file_system ? 1 : 0

  name_prefix = "${var.name}-file-system-"
  description = "File system"
  vpc_id      = aws_vpc.main.id

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "file_system" {
  count = var.shared_file_system ? 1 : 0

  security_group_id            = aws_security_group.file_system[0].id
  description                  = "Machines"
  referenced_security_group_id = aws_security_group.machines.id
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049

  tags = local.tags
}
