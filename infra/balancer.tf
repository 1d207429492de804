# The way of clients to the machines: port 80 passes on the challenges of the
# certificate authority and redirects everything else to 443.

#tfsec:ignore:aws-elb-alb-not-public -- clients call it
resource "aws_lb" "balancer" {
  name                       = var.name
  load_balancer_type         = "application"
  internal                   = false
  subnets                    = aws_subnet.public[*].id
  security_groups            = [aws_security_group.balancer.id]
  idle_timeout               = local.limits.idle
  drop_invalid_header_fields = true
  enable_deletion_protection = false # so that one destroy takes all of it away

  # The last address in X-Forwarded-For is that of the peer, whatever the client
  # wrote before it; requests that two servers may understand in two ways are refused.
  xff_header_processing_mode = "append"
  desync_mitigation_mode     = "defensive"

  access_logs {
    bucket  = aws_s3_bucket.logs.id
    enabled = true
  }

  tags = local.tags

  timeouts {
    create = "20m"
    update = "20m"
    delete = "20m"
  }

  # It writes a first file at once.
  depends_on = [aws_s3_bucket_policy.logs]
}

# Protocol and port are in the name: a change of them makes a new group, which needs
# another name while the old one is in use.
#
# Answered by nginx itself, before the program runs and while it does not: that
# is when the authority asks.
resource "aws_lb_target_group" "http" {
  name                 = "${var.name}-http-80"
  vpc_id               = aws_vpc.main.id
  target_type          = "instance"
  protocol             = "HTTP"
  port                 = 80
  deregistration_delay = local.limits.drain

  health_check {
    protocol            = "HTTP"
    port                = "traffic-port"
    path                = "/healthz"
    matcher             = "200"
    interval            = 15
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 5
  }

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

# /readyz is 503 while the database is away, on all machines at once. A restart
# or a change to its standby takes a minute or two: only after five are machines
# replaced, for nothing would be better with new ones.
resource "aws_lb_target_group" "app" {
  name                 = "${var.name}-https-443"
  vpc_id               = aws_vpc.main.id
  target_type          = "instance"
  protocol             = "HTTPS"
  port                 = 443
  deregistration_delay = local.limits.drain

  health_check {
    protocol            = "HTTPS"
    port                = "traffic-port"
    path                = "/readyz"
    matcher             = "200"
    interval            = 30
    timeout             = 10
    healthy_threshold   = 2
    unhealthy_threshold = 10
  }

  tags = local.tags

  lifecycle {
    create_before_destroy = true
  }
}

#tfsec:ignore:aws-elb-http-not-used -- it redirects, and the certificate authority asks by HTTP
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.balancer.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      host        = "#{host}"
      port        = "443"
      path        = "/#{path}"
      query       = "#{query}"
      status_code = "HTTP_301"
    }
  }

  tags = local.tags
}

resource "aws_lb_listener_rule" "acme" {
  listener_arn = aws_lb_listener.http.arn
  priority     = 10

  condition {
    path_pattern {
      values = ["/.well-known/acme-challenge/*"]
    }
  }

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.http.arn
  }

  tags = local.tags
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.balancer.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = var.tls_policy
  certificate_arn   = aws_acm_certificate_validation.api.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.app.arn
  }

  tags = local.tags
}
