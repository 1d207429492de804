# The values of the system that gistdeal re-makes: terraform apply -var-file=seed.tfvars
# The domain's names are challenge.<domain> and api-challenge.<domain>: put your own here.
domain        = "example.com"
region        = "us-east-1"
instance_type = "t2.small"
ami           = { id = "ami-04b70fa74e45c3917", region = "us-east-1" }
machines      = { min = 1, desired = 2, max = 3 }

wait_for_load_balancer = 90
