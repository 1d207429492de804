mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "groups" {
  command = plan

  assert {
    condition     = alltrue([for r in concat(values(aws_vpc_security_group_ingress_rule.balancer), values(aws_vpc_security_group_egress_rule.balancer), values(aws_vpc_security_group_ingress_rule.machines), values(aws_vpc_security_group_egress_rule.machines)) : r.from_port == r.to_port && contains([80, 443], r.from_port) && r.ip_protocol == "tcp"])
    error_message = "Load balancer and machines have ports 80 and 443 open, no port 22 and no others."
  }

  assert {
    condition     = alltrue([for rules in [aws_vpc_security_group_ingress_rule.balancer, aws_vpc_security_group_egress_rule.balancer, aws_vpc_security_group_ingress_rule.machines, aws_vpc_security_group_egress_rule.machines] : toset([for r in rules : r.from_port]) == toset([80, 443])])
    error_message = "Both ports are open on each side."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.balancer : r.security_group_id == aws_security_group.balancer.id && r.cidr_ipv4 == "0.0.0.0/0" && r.referenced_security_group_id == null])
    error_message = "Everybody reaches the load balancer."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_egress_rule.balancer : r.security_group_id == aws_security_group.balancer.id && r.referenced_security_group_id == aws_security_group.machines.id && r.cidr_ipv4 == null])
    error_message = "The load balancer reaches machines only."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_ingress_rule.machines : r.security_group_id == aws_security_group.machines.id && r.referenced_security_group_id == aws_security_group.balancer.id && r.cidr_ipv4 == null])
    error_message = "Machines are reached from the load balancer only."
  }

  assert {
    condition     = alltrue([for r in aws_vpc_security_group_egress_rule.machines : r.security_group_id == aws_security_group.machines.id && r.cidr_ipv4 == "0.0.0.0/0" && r.referenced_security_group_id == null])
    error_message = "Machines reach the internet by HTTP and HTTPS."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.machines_database[0].from_port == 5432 && aws_vpc_security_group_egress_rule.machines_database[0].to_port == 5432 && aws_vpc_security_group_egress_rule.machines_database[0].ip_protocol == "tcp" && aws_vpc_security_group_egress_rule.machines_database[0].security_group_id == aws_security_group.machines.id && aws_vpc_security_group_egress_rule.machines_database[0].referenced_security_group_id == aws_security_group.database[0].id && aws_vpc_security_group_egress_rule.machines_database[0].cidr_ipv4 == null
    error_message = "Machines reach the database."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.database[0].from_port == 5432 && aws_vpc_security_group_ingress_rule.database[0].to_port == 5432 && aws_vpc_security_group_ingress_rule.database[0].ip_protocol == "tcp" && aws_vpc_security_group_ingress_rule.database[0].security_group_id == aws_security_group.database[0].id && aws_vpc_security_group_ingress_rule.database[0].referenced_security_group_id == aws_security_group.machines.id && aws_vpc_security_group_ingress_rule.database[0].cidr_ipv4 == null
    error_message = "The database is reached from machines only."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.machines_file_system[0].from_port == 2049 && aws_vpc_security_group_egress_rule.machines_file_system[0].to_port == 2049 && aws_vpc_security_group_egress_rule.machines_file_system[0].ip_protocol == "tcp" && aws_vpc_security_group_egress_rule.machines_file_system[0].security_group_id == aws_security_group.machines.id && aws_vpc_security_group_egress_rule.machines_file_system[0].referenced_security_group_id == aws_security_group.file_system[0].id && aws_vpc_security_group_egress_rule.machines_file_system[0].cidr_ipv4 == null
    error_message = "Machines reach the file system."
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.file_system[0].from_port == 2049 && aws_vpc_security_group_ingress_rule.file_system[0].to_port == 2049 && aws_vpc_security_group_ingress_rule.file_system[0].ip_protocol == "tcp" && aws_vpc_security_group_ingress_rule.file_system[0].security_group_id == aws_security_group.file_system[0].id && aws_vpc_security_group_ingress_rule.file_system[0].referenced_security_group_id == aws_security_group.machines.id && aws_vpc_security_group_ingress_rule.file_system[0].cidr_ipv4 == null
    error_message = "The file system is reached from machines only."
  }

  assert {
    condition     = aws_launch_template.machine.vpc_security_group_ids == toset([aws_security_group.machines.id]) && aws_lb.balancer.security_groups == toset([aws_security_group.balancer.id]) && aws_db_instance.database[0].vpc_security_group_ids == toset([aws_security_group.database[0].id]) && alltrue([for m in aws_efs_mount_target.shared : m.security_groups == toset([aws_security_group.file_system[0].id])])
    error_message = "Each part has the group of its own, and no other."
  }

  assert {
    condition     = alltrue([for g in [aws_security_group.balancer, aws_security_group.machines, aws_security_group.database[0], aws_security_group.file_system[0]] : g.vpc_id == aws_vpc.main.id && can(regex("^[A-Za-z0-9 ._-]+$", g.description))])
    error_message = "Groups are in the network, and described in letters that AWS takes."
  }

  assert {
    condition     = aws_default_security_group.none.vpc_id == aws_vpc.main.id
    error_message = "The network's own group lets nothing through."
  }
}

run "a_database_that_exists" {
  command = plan

  variables {
    database_url_parameter = "/crm/database"
    database_cidr          = "192.0.2.10/32"
  }

  assert {
    condition     = length(aws_vpc_security_group_egress_rule.machines_database) == 0 && aws_vpc_security_group_egress_rule.machines_existing_database[0].cidr_ipv4 == "192.0.2.10/32" && aws_vpc_security_group_egress_rule.machines_existing_database[0].from_port == 5432 && aws_vpc_security_group_egress_rule.machines_existing_database[0].to_port == 5432 && aws_vpc_security_group_egress_rule.machines_existing_database[0].ip_protocol == "tcp"
    error_message = "Machines reach the database that exists, and no other address by its port."
  }
}
