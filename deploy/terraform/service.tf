# hubgate on Fargate. A container with a shell writes the configuration into a volume of the task, and ends; then
# hubgate starts. Every change of the configuration is a new task definition: a rolling deployment, which ECS reverts if
# the new tasks do not become healthy.
locals {
  port          = 8080
  admin_port    = 9090
  health_path   = "/healthz"
  key_prefix    = "hubgate:"
  drain_delay   = 15 # seconds; the balancer notices within 2 checks at 5 seconds
  drain_timeout = 30

  config = templatefile("${path.module}/hubgate.yaml.tftpl", {
    site_url      = var.site_url
    origin        = var.origin
    hub_id        = var.hub_id
    vpc_cidr      = var.vpc_cidr
    user_pool_id  = var.user_pool_id
    client_id     = aws_cognito_user_pool_client.hubgate.id
    redis_host    = aws_elasticache_replication_group.redis.primary_endpoint_address
    redis_port    = local.redis_port
    redis_user    = local.redis_user
    key_prefix    = local.key_prefix
    port          = local.port
    admin_port    = local.admin_port
    health_path   = local.health_path
    drain_delay   = local.drain_delay
    drain_timeout = local.drain_timeout
  })

  operator_arn     = data.aws_secretsmanager_secret.operator.arn
  operator_secrets = ["HUBGATE_KEY", "ADMIN_TOKEN", "HUBSPOT_TOKEN", "REDIS_PASSWORD"]

  logging = {
    logDriver = "awslogs"
    options = {
      awslogs-group         = aws_cloudwatch_log_group.hubgate.name
      awslogs-region        = var.region
      awslogs-stream-prefix = var.name
      mode                  = "blocking" # hubgate itself never waits for its log, and counts lines that it drops
    }
  }

  containers = [
    {
      name                   = "config"
      image                  = var.config_image
      essential              = false
      user                   = "0" # on Fargate, only root can write the volume
      readonlyRootFilesystem = true
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      entryPoint             = ["sh", "-c"]
      command                = ["printf '%s' \"$HUBGATE_YAML\" > /config/hubgate.yaml"]
      environment            = [{ name = "HUBGATE_YAML", value = local.config }]
      mountPoints            = [{ sourceVolume = "config", containerPath = "/config", readOnly = false }]
      logConfiguration       = local.logging
    },
    {
      name                   = "hubgate"
      image                  = var.image
      essential              = true
      readonlyRootFilesystem = true
      linuxParameters        = { capabilities = { drop = ["ALL"] } }
      dependsOn              = [{ containerName = "config", condition = "SUCCESS" }]
      portMappings = [
        { containerPort = local.port, protocol = "tcp" },
        { containerPort = local.admin_port, protocol = "tcp" },
      ]
      mountPoints = [{ sourceVolume = "config", containerPath = "/etc/hubgate", readOnly = true }]
      environment = [{ name = "GOMEMLIMIT", value = "${floor(var.memory * 0.8)}MiB" }] # docs/sizing.md
      secrets = concat(
        [for key in local.operator_secrets : { name = key, valueFrom = "${local.operator_arn}:${key}::" }],
        [{ name = "COGNITO_CLIENT_SECRET", valueFrom = aws_secretsmanager_secret.cognito.arn }],
      )
      healthCheck = {
        command     = ["CMD", "/hubgate", "healthcheck"]
        interval    = 10
        timeout     = 3
        retries     = 3
        startPeriod = 10
      }
      linuxParameters  = { capabilities = { drop = ["ALL"] } }
      stopTimeout      = local.drain_delay + local.drain_timeout + 10
      logConfiguration = local.logging
    },
  ]
}

resource "aws_cloudwatch_log_group" "hubgate" {
  name              = "/ecs/${var.name}"
  retention_in_days = var.log_days
}

resource "aws_ecs_cluster" "main" {
  name = var.name
}

resource "aws_ecs_task_definition" "hubgate" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.cpu
  memory                   = var.memory
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = jsonencode(local.containers)

  volume {
    name = "config"
  }
}

resource "aws_ecs_service" "hubgate" {
  name                               = var.name
  cluster                            = aws_ecs_cluster.main.id
  task_definition                    = aws_ecs_task_definition.hubgate.arn
  launch_type                        = "FARGATE"
  desired_count                      = var.min_tasks
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 30
  wait_for_steady_state              = true
  depends_on                         = [aws_iam_role_policy.secrets, aws_lb_listener.https]

  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = aws_subnet.private[*].id
    security_groups  = [aws_security_group.task.id]
    assign_public_ip = false
  }

  load_balancer {
    target_group_arn = aws_lb_target_group.hubgate.arn
    container_name   = "hubgate"
    container_port   = local.port
  }

  lifecycle {
    ignore_changes = [desired_count] # autoscaling changes it
  }
}
