# Principals, routes, rules and flows; part of libtund_core.a.
libtund_core_a_SOURCES += \
	include/tund/policy/explain.h src/policy/explain.c \
	include/tund/policy/flow.h src/policy/flow.c \
	src/policy/flow_bucket.h src/policy/flow_choose.c src/policy/flow_tuple.h \
	include/tund/policy/flow_cache.h src/policy/flow_cache.c \
	include/tund/policy/forward.h src/policy/forward.c \
	src/policy/forward_context.c src/policy/forward_context.h src/policy/forward_flow.c \
	include/tund/policy/fragment.h src/policy/fragment.c \
	include/tund/policy/lpm.h src/policy/lpm.c \
	include/tund/policy/model.h src/policy/model.c src/policy/model_codec.c \
	src/policy/model_index.c src/policy/model_index.h \
	src/policy/model_selector.c src/policy/model_selector.h src/policy/model_validate.c \
	include/tund/policy/connector_policy.h src/policy/connector_policy.c \
	include/tund/policy/policy.h src/policy/policy.c \
	src/policy/policy_compile.c src/policy/policy_compiled.h src/policy/policy_same.c \
	src/policy/names.h src/policy/names.c \
	include/tund/policy/next_hops.h src/policy/next_hops.c \
	include/tund/policy/reason.h src/policy/reason.c \
	include/tund/policy/refusal.h src/policy/refusal.c \
	include/tund/policy/registry.h src/policy/registry.c \
	src/policy/registry_entry.h src/policy/registry_entry.c \
	include/tund/policy/registry_plan.h src/policy/registry_plan.c \
	include/tund/policy/words.h src/policy/words.c
