mock_provider "aws" {
  source          = "./tests/mocks"
  override_during = plan
}

mock_provider "random" {
  source          = "./tests/mocks-random"
  override_during = plan
}

run "balancer" {
  command = plan

  assert {
    condition     = aws_lb.balancer.load_balancer_type == "application" && !aws_lb.balancer.internal && aws_lb.balancer.subnets == toset(aws_subnet.public[*].id)
    error_message = "An application load balancer serves the internet from both public subnets."
  }

  assert {
    condition     = aws_lb.balancer.drop_invalid_header_fields
    error_message = "Invalid headers are dropped."
  }

  assert {
    condition     = !aws_lb.balancer.enable_deletion_protection
    error_message = "One destroy takes the load balancer away."
  }

  assert {
    condition     = aws_lb_listener.http.port == 80 && aws_lb_listener.http.protocol == "HTTP" && aws_lb_listener.http.load_balancer_arn == aws_lb.balancer.arn
    error_message = "Port 80 listens."
  }

  assert {
    condition     = try(aws_lb_listener.http.default_action[0].type == "redirect" && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS" && aws_lb_listener.http.default_action[0].redirect[0].port == "443" && aws_lb_listener.http.default_action[0].redirect[0].status_code == "HTTP_301", false)
    error_message = "Port 80 redirects to HTTPS."
  }

  assert {
    condition     = aws_lb_listener_rule.acme.listener_arn == aws_lb_listener.http.arn && one(one(aws_lb_listener_rule.acme.condition).path_pattern).values == toset(["/.well-known/acme-challenge/*"]) && aws_lb_listener_rule.acme.action[0].type == "forward" && aws_lb_listener_rule.acme.action[0].target_group_arn == aws_lb_target_group.http.arn
    error_message = "What the certificate authority asks for goes to the machines by HTTP."
  }

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.protocol == "HTTPS" && aws_lb_listener.https.load_balancer_arn == aws_lb.balancer.arn && aws_lb_listener.https.default_action[0].type == "forward" && aws_lb_listener.https.default_action[0].target_group_arn == aws_lb_target_group.app.arn
    error_message = "Port 443 leads to the application."
  }

  assert {
    condition     = aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
    error_message = "Clients speak TLS 1.2 or newer."
  }

  assert {
    condition     = aws_lb_target_group.http.protocol == "HTTP" && aws_lb_target_group.http.port == 80 && aws_lb_target_group.http.vpc_id == aws_vpc.main.id && aws_lb_target_group.http.target_type == "instance"
    error_message = "The first target group is the machines by HTTP."
  }

  assert {
    condition     = aws_lb_target_group.app.protocol == "HTTPS" && aws_lb_target_group.app.port == 443 && aws_lb_target_group.app.vpc_id == aws_vpc.main.id && aws_lb_target_group.app.target_type == "instance"
    error_message = "The second target group is the machines by HTTPS."
  }

  assert {
    condition     = try(aws_lb_target_group.http.health_check[0].path, "") == "/healthz" && aws_lb_target_group.http.health_check[0].protocol == "HTTP" && aws_lb_target_group.http.health_check[0].matcher == "200" && coalesce(aws_lb_target_group.http.health_check[0].enabled, true) && contains(["traffic-port", "80"], coalesce(aws_lb_target_group.http.health_check[0].port, "traffic-port"))
    error_message = "By HTTP nginx itself is asked for its health."
  }

  assert {
    condition     = try(aws_lb_target_group.app.health_check[0].path, "") == "/readyz" && aws_lb_target_group.app.health_check[0].protocol == "HTTPS" && aws_lb_target_group.app.health_check[0].matcher == "200" && coalesce(aws_lb_target_group.app.health_check[0].enabled, true) && contains(["traffic-port", "443"], coalesce(aws_lb_target_group.app.health_check[0].port, "traffic-port"))
    error_message = "By HTTPS the application is asked whether it is ready."
  }

  assert {
    condition     = aws_lb_target_group.app.health_check[0].interval * aws_lb_target_group.app.health_check[0].unhealthy_threshold >= 300
    error_message = "A restart of the database, which takes minutes, does not replace every machine."
  }

  assert {
    condition     = alltrue([for g in [aws_lb_target_group.http, aws_lb_target_group.app] : g.health_check[0].timeout < g.health_check[0].interval && g.health_check[0].timeout >= 5 && g.health_check[0].healthy_threshold * g.health_check[0].interval <= 60])
    error_message = "A health check has the time that it needs, and a new machine is in use within a minute."
  }

  assert {
    condition     = alltrue([for g in [aws_lb_target_group.http, aws_lb_target_group.app] : tonumber(g.deregistration_delay) == local.limits.drain])
    error_message = "Requests may end at a machine that leaves, and it does not wait longer than that."
  }
}
