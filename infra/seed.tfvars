# The values of the system that gistdeal re-makes: terraform apply -var-file=seed.tfvars
# Its own domain was never written down outside of it: put yours here. The names
# under it are the seed's, challenge.<domain> and api-challenge.<domain>.
domain        = "example.com"
region        = "us-east-1"
instance_type = "t2.small"
ami           = { id = "ami-04b70fa74e45c3917", region = "us-east-1" }
machines      = { min = 1, desired = 2, max = 3 }

wait_for_load_balancer = 90
