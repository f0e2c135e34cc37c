/* SPDX-License-Identifier: MIT
 *
 * What we call of ONNX Runtime's C interface. The runtime hands out a table of functions whose
 * order is a stable ABI (entries are only ever appended), so that naming our slots is enough and
 * no header of theirs is needed to build. tests/unit/nn/ort_slots.py proves numbers and parameter
 * counts against the official onnxruntime_c_api.h where one is installed.
 *
 * X(slot, name, result, parameters). `status` is NULL on success, else an error to be released. */
#ifndef NN_ORT_API_H
#define NN_ORT_API_H

#include <stddef.h>
#include <stdint.h>

/* The oldest table that has all our slots. */
#define ORT_API_VERSION_MIN 12

typedef struct ort_status ort_status;
typedef struct ort_env ort_env;
typedef struct ort_session ort_session;
typedef struct ort_session_options ort_session_options;
typedef struct ort_value ort_value;
typedef struct ort_type_info ort_type_info;
typedef struct ort_tensor_info ort_tensor_info;
typedef struct ort_memory_info ort_memory_info;
typedef struct ort_allocator ort_allocator;
typedef struct ort_provider_options ort_provider_options; /* CUDA's or TensorRT's */

typedef void (*ort_log_fn)(void *user, int severity, const char *category, const char *id,
                           const char *location, const char *message);

enum { ORT_LOG_FATAL = 4 };
enum { ORT_SEQUENTIAL = 0 };
enum { ORT_OPTIMIZE_ALL = 99 };
enum { ORT_ELEMENT_F32 = 1, ORT_ELEMENT_I64 = 7 };
enum { ORT_ARENA_ALLOCATOR = 1, ORT_MEMORY_DEFAULT = 0 };

#define ORT_SLOTS(X)                                                                               \
    X(2, GetErrorMessage, const char *, (const ort_status *status))                                \
    X(4, CreateEnvWithCustomLogger, ort_status *,                                                  \
      (ort_log_fn log, void *user, int severity, const char *id, ort_env **ret_env))               \
    X(8, CreateSessionFromArray, ort_status *,                                                     \
      (const ort_env *env, const void *bytes, size_t n, const ort_session_options *options,        \
       ort_session **ret_session))                                                                 \
    X(9, Run, ort_status *,                                                                        \
      (ort_session * session, const void *run_options, const char *const *input_names,             \
       const ort_value *const *inputs, size_t n_inputs, const char *const *output_names,           \
       size_t n_outputs, ort_value **outputs))                                                     \
    X(10, CreateSessionOptions, ort_status *, (ort_session_options * *ret_options))                \
    X(13, SetSessionExecutionMode, ort_status *, (ort_session_options * options, int mode))        \
    X(23, SetSessionGraphOptimizationLevel, ort_status *,                                          \
      (ort_session_options * options, int level))                                                  \
    X(24, SetIntraOpNumThreads, ort_status *, (ort_session_options * options, int n))              \
    X(30, SessionGetInputCount, ort_status *, (const ort_session *session, size_t *ret_n))         \
    X(31, SessionGetOutputCount, ort_status *, (const ort_session *session, size_t *ret_n))        \
    X(33, SessionGetInputTypeInfo, ort_status *,                                                   \
      (const ort_session *session, size_t index, ort_type_info **ret_info))                        \
    X(34, SessionGetOutputTypeInfo, ort_status *,                                                  \
      (const ort_session *session, size_t index, ort_type_info **ret_info))                        \
    X(36, SessionGetInputName, ort_status *,                                                       \
      (const ort_session *session, size_t index, ort_allocator *allocator, char **ret_name))       \
    X(37, SessionGetOutputName, ort_status *,                                                      \
      (const ort_session *session, size_t index, ort_allocator *allocator, char **ret_name))       \
    X(49, CreateTensorWithDataAsOrtValue, ort_status *,                                            \
      (const ort_memory_info *where, void *data, size_t n_bytes, const int64_t *dims,              \
       size_t n_dims, int element, ort_value **ret_value))                                         \
    X(55, CastTypeInfoToTensorInfo, ort_status *,                                                  \
      (const ort_type_info *info, const ort_tensor_info **ret_tensor))                             \
    X(60, GetTensorElementType, ort_status *, (const ort_tensor_info *info, int *ret_element))     \
    X(61, GetDimensionsCount, ort_status *, (const ort_tensor_info *info, size_t *ret_n))          \
    X(62, GetDimensions, ort_status *, (const ort_tensor_info *info, int64_t *ret_dims, size_t n)) \
    X(69, CreateCpuMemoryInfo, ort_status *,                                                       \
      (int allocator, int memory, ort_memory_info **ret_info))                                     \
    X(76, AllocatorFree, ort_status *, (ort_allocator * allocator, void *p))                       \
    X(78, GetAllocatorWithDefaultOptions, ort_status *, (ort_allocator * *ret_allocator))          \
    X(92, ReleaseEnv, void, (ort_env * env))                                                       \
    X(93, ReleaseStatus, void, (ort_status * status))                                              \
    X(94, ReleaseMemoryInfo, void, (ort_memory_info * info))                                       \
    X(95, ReleaseSession, void, (ort_session * session))                                           \
    X(96, ReleaseValue, void, (ort_value * value))                                                 \
    X(98, ReleaseTypeInfo, void, (ort_type_info * info))                                           \
    X(100, ReleaseSessionOptions, void, (ort_session_options * options))                           \
    X(125, GetAvailableProviders, ort_status *, (char ***ret_names, int *ret_n))                   \
    X(126, ReleaseAvailableProviders, ort_status *, (char **names, int n))                         \
    X(170, SessionOptionsAppendExecutionProvider_TensorRT_V2, ort_status *,                        \
      (ort_session_options * options, const ort_provider_options *provider))                       \
    X(171, CreateTensorRTProviderOptions, ort_status *, (ort_provider_options * *ret_provider))    \
    X(174, ReleaseTensorRTProviderOptions, void, (ort_provider_options * provider))                \
    X(204, SessionOptionsAppendExecutionProvider_CUDA_V2, ort_status *,                            \
      (ort_session_options * options, const ort_provider_options *provider))                       \
    X(205, CreateCUDAProviderOptions, ort_status *, (ort_provider_options * *ret_provider))        \
    X(208, ReleaseCUDAProviderOptions, void, (ort_provider_options * provider))                    \
    X(216, SessionOptionsAppendExecutionProvider, ort_status *,                                    \
      (ort_session_options * options, const char *name, const char *const *keys,                   \
       const char *const *values, size_t n_keys))

/* Our slots, typed. */
struct ort_api {
#define ORT_MEMBER(slot, name, result, parameters) result(*name) parameters;
    ORT_SLOTS(ORT_MEMBER)
#undef ORT_MEMBER
};

/* The table as the runtime gives it, and the one symbol that the library exports. */
typedef void (*ort_any_fn)(void);

struct ort_api_base {
    const ort_any_fn *(*get_api)(uint32_t version); /* NULL: too old */
    const char *(*get_version)(void);
};

typedef const struct ort_api_base *(*ort_get_api_base_fn)(void);

static inline void ort_api_take(const ort_any_fn *table, struct ort_api *ret_api)
{
#define ORT_TAKE(slot, name, result, parameters) ret_api->name = (result(*) parameters)table[slot];
    ORT_SLOTS(ORT_TAKE)
#undef ORT_TAKE
}

#endif
