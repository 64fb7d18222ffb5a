variable "region" {
  description = "AWS region of everything, such as eu-west-1."
  type        = string
}

variable "name" {
  description = "Name of all resources, and prefix of the others."
  type        = string
  default     = "hubgate"
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,19}$", var.name))
    error_message = "Use 2 to 20 lowercase letters, digits and hyphens, beginning with a letter."
  }
}

variable "site_url" {
  description = "The URL that visitors open, without a path, such as https://www.example.com."
  type        = string
  validation {
    condition     = can(regex("^https://[a-z0-9.-]+$", var.site_url))
    error_message = "Write https:// and the host in lowercase, without a path or a slash at the end."
  }
}

variable "certificate_arn" {
  description = "ARN of the ACM certificate for the site's host, in the same region."
  type        = string
}

variable "origin" {
  description = "HubSpot's origin of the portal, https://HUBID.sites-proxy.hscoscdnNN.net. hubgate init prints it."
  type        = string
  validation {
    condition     = can(regex("^https://[0-9]+\\.sites-proxy\\.hscoscdn[0-9]{2}(-[a-z0-9]+)?\\.net$", var.origin))
    error_message = "Write https://HUBID.sites-proxy.hscoscdnNN.net; docs/install.md says how to find NN."
  }
}

variable "hub_id" {
  description = "The number of the HubSpot account."
  type        = number
}

variable "user_pool_id" {
  description = "ID of the Cognito user pool, which must have a domain with managed login."
  type        = string
}

variable "secret_name" {
  description = "Name of the secret in Secrets Manager with HUBGATE_KEY, ADMIN_TOKEN, HUBSPOT_TOKEN, REDIS_PASSWORD."
  type        = string
  default     = "hubgate"
}

variable "redis_password_version" {
  description = "Raise it after a change of REDIS_PASSWORD in the secret, so that Terraform sets the new one."
  type        = number
  default     = 1
}

variable "image" {
  description = "Image of hubgate with an exact tag, such as ghcr.io/hubgate/hubgate:1.2.3."
  type        = string
  validation {
    condition     = can(regex("(:v?[0-9]+\\.[0-9]+\\.[0-9]+[^:/]*|@sha256:[0-9a-f]{64})$", var.image))
    error_message = "Name one release by its tag or digest, so that every task runs the same one."
  }
}

variable "config_image" {
  description = "Image with a shell, which writes the configuration before hubgate starts."
  type        = string
  default     = "public.ecr.aws/docker/library/busybox:1.37.0"
}

variable "vpc_cidr" {
  description = "Address range of the VPC. hubgate trusts X-Forwarded-For from it."
  type        = string
  default     = "10.20.0.0/16"
  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 0))
    error_message = "Write an IPv4 range such as 10.20.0.0/16."
  }
}

variable "zones" {
  description = "Number of availability zones. Each has its own NAT gateway, and so its own address at HubSpot."
  type        = number
  default     = 2
  validation {
    condition     = var.zones >= 2 && var.zones <= 4
    error_message = "Use 2 to 4 zones; HubSpot limits requests per address."
  }
}

variable "min_tasks" {
  description = "Smallest number of tasks."
  type        = number
  default     = 2
  validation {
    condition     = var.min_tasks >= 2
    error_message = "Use at least 2, so that a deployment or the loss of a zone interrupts nothing."
  }
}

variable "max_tasks" {
  description = "Largest number of tasks."
  type        = number
  default     = 8
}

variable "cpu" {
  description = "CPU units of a task; 1024 are one vCPU. docs/sizing.md has measurements."
  type        = number
  default     = 512
}

variable "memory" {
  description = "Memory of a task in MiB."
  type        = number
  default     = 1024
}

variable "redis_node_type" {
  description = "ElastiCache node type. docs/sizing.md has the memory for each session."
  type        = string
  default     = "cache.t4g.small"
}

variable "prometheus_security_group_id" {
  description = "Security group of Prometheus, which may then scrape port 9090; null if there is none."
  type        = string
  default     = null
}

variable "log_days" {
  description = "Days after which CloudWatch deletes log lines. They contain addresses of visitors."
  type        = number
  default     = 30
}
