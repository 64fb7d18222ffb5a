output "balancer_dns_name" {
  description = "Where the site's DNS record points after the cut-over (CNAME or ALIAS)."
  value       = aws_lb.main.dns_name
}

output "balancer_zone_id" {
  description = "Hosted zone of the load balancer, for an ALIAS record in Route 53."
  value       = aws_lb.main.zone_id
}

output "client_id" {
  description = "The Cognito app client."
  value       = aws_cognito_user_pool_client.hubgate.id
}

output "egress_addresses" {
  description = "The addresses from which HubSpot sees the requests, one for each zone."
  value       = aws_eip.egress[*].public_ip
}

output "task_network" {
  description = "Private subnets and security group of the tasks, for a task that runs hubgate check --live."
  value       = { subnets = aws_subnet.private[*].id, security_groups = [aws_security_group.task.id] }
}

output "config" {
  description = "The configuration, for hubgate check --no-secrets."
  value       = local.config
}
