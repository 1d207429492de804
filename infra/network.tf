# Two public subnets for load balancer and machines, two private ones without a
# way out for database and file system, in two zones.

locals {
  vpc_cidr      = "10.0.0.0/16"
  public_cidr   = "10.0.0.0/23" # both public subnets
  public_cidrs  = ["10.0.0.0/24", "10.0.1.0/24"]
  private_cidrs = ["10.0.10.0/24", "10.0.11.0/24"]

  zones = var.region == "us-east-1" ? ["us-east-1a", "us-east-1b"] : slice(data.aws_availability_zones.available[0].names, 0, 2)
}

data "aws_availability_zones" "available" {
  count = var.region == "us-east-1" ? 0 : 1

  state = "available"

  # Zones that an account has to ask for have not all that is used here.
  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

#tfsec:ignore:aws-ec2-require-vpc-flow-logs-for-all-vpcs -- which connections there were is worth less here than it costs; the load balancer's metrics and the program's log tell of requests
resource "aws_vpc" "main" {
  cidr_block           = local.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = merge(local.tags, { Name = var.name })
}

resource "aws_subnet" "public" {
  count = 2

  vpc_id            = aws_vpc.main.id
  cidr_block        = local.public_cidrs[count.index]
  availability_zone = local.zones[count.index]
  # Machines fetch packages, image and certificate: an address costs less than a
  # NAT gateway, and their security group lets nobody in but the load balancer.
  map_public_ip_on_launch = true #tfsec:ignore:aws-ec2-no-public-ip-subnet

  tags = merge(local.tags, { Name = "${var.name}-public-${count.index}" })
}

resource "aws_subnet" "private" {
  count = 2

  vpc_id            = aws_vpc.main.id
  cidr_block        = local.private_cidrs[count.index]
  availability_zone = local.zones[count.index]

  tags = merge(local.tags, { Name = "${var.name}-private-${count.index}" })
}

resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = var.name })
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = "${var.name}-public" })
}

resource "aws_route" "out" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.main.id

  tags = merge(local.tags, { Name = "${var.name}-private" })
}

resource "aws_route_table_association" "public" {
  count = 2

  subnet_id      = aws_subnet.public[count.index].id
  route_table_id = aws_route_table.public.id
}

resource "aws_route_table_association" "private" {
  count = 2

  subnet_id      = aws_subnet.private[count.index].id
  route_table_id = aws_route_table.private.id
}
