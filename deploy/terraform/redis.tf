# ElastiCache for Valkey: a primary and a replica in another zone. docs/aws.md says what a failover can lose, and when
# to use MemoryDB instead.
locals {
  redis_port = 6379
  redis_user = "${var.name}-gateway"
}

resource "aws_elasticache_subnet_group" "redis" {
  name       = var.name
  subnet_ids = aws_subnet.private[*].id
}

resource "aws_elasticache_parameter_group" "redis" {
  name   = var.name
  family = "valkey8"

  # The default evicts sessions and queued contacts when memory is short.
  parameter {
    name  = "maxmemory-policy"
    value = "noeviction"
  }
}

# What hubgate needs and nothing else. ElastiCache does not allow config|get.
resource "aws_elasticache_user" "hubgate" {
  user_id   = local.redis_user
  user_name = local.redis_user
  engine    = "valkey"
  access_string = join(" ", [
    "on ~${local.key_prefix}* resetchannels &${local.key_prefix}*",
    "-@all +@read +@write +@pubsub +@scripting +@connection -@dangerous +time +info",
  ])
  passwords_wo         = local.operator.REDIS_PASSWORD
  passwords_wo_version = var.redis_password_version
}

resource "aws_elasticache_user_group" "redis" {
  user_group_id = var.name
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.hubgate.user_id]
}

resource "aws_elasticache_replication_group" "redis" {
  replication_group_id       = var.name
  description                = "Sessions and contact queue of hubgate"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.redis_node_type
  port                       = local.redis_port
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  parameter_group_name       = aws_elasticache_parameter_group.redis.name
  subnet_group_name          = aws_elasticache_subnet_group.redis.name
  security_group_ids         = [aws_security_group.redis.id]
  user_group_ids             = [aws_elasticache_user_group.redis.user_group_id]
  snapshot_retention_limit   = 7
  final_snapshot_identifier  = "${var.name}-final"
}
