# The values of the system that gistdeal re-makes: terraform apply -var-file=seed.tfvars
# The domain is that of its documents: put yours here. The names under it stay
# challenge.<domain> and api-challenge.<domain>.
domain        = "techwithmarkus.com"
region        = "us-east-1"
instance_type = "t2.small"
ami           = { id = "ami-04b70fa74e45c3917", region = "us-east-1" }
machines      = { min = 1, desired = 2, max = 3 }

wait_for_load_balancer = 90
