/* bytes of a model file -> predictions from raw rows, for C and every language that calls C.
 *
 * Link with libautoms. No function throws, prints or ends the process. A model is constant once it
 * is loaded: any number of threads may predict with it at once, each with a workspace of its own.
 *
 *   automs_model* model;
 *   if (automs_load_file("model.automs", &model, NULL) != AUTOMS_OK) return 1;
 *   automs_workspace* workspace;
 *   if (automs_workspace_new(model, &workspace) != AUTOMS_OK) return 1;
 *   double row[] = {8.3, 41.0, ...};  // NAN = missing
 *   double value;
 *   automs_predict(model, workspace, row, &value);
 *   automs_workspace_free(workspace);
 *   automs_free(model);
 *
 * Where an index is out of range or a pointer is NULL, what gives a status gives
 * AUTOMS_BAD_ARGUMENT, and the others give 0, NaN or an empty text.
 */
#ifndef AUTOMS_H
#define AUTOMS_H

#include <stddef.h>
#include <stdint.h>

#if defined(AUTOMS_BUILDING_C) && defined(__GNUC__)
#define AUTOMS_API __attribute__((visibility("default")))
#else
#define AUTOMS_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef struct automs_model automs_model;
typedef struct automs_workspace automs_workspace;

/* The numbers never change their meaning. */
typedef enum automs_status {
  AUTOMS_OK = 0,
  AUTOMS_TRUNCATED = 1,
  AUTOMS_BAD_MAGIC = 2,
  AUTOMS_UNKNOWN_VERSION = 3,
  AUTOMS_BAD_CHECKSUM = 4,
  AUTOMS_BAD_VALUE = 5,
  AUTOMS_TOO_LARGE = 6,
  AUTOMS_OUT_OF_MEMORY = 7,
  AUTOMS_CANNOT_READ = 8,
  AUTOMS_BAD_ARGUMENT = 9
} automs_status;

typedef enum automs_task {
  AUTOMS_REGRESSION = 0,
  AUTOMS_BINARY = 1,
  AUTOMS_MULTICLASS = 2
} automs_task;

typedef enum automs_column_kind {
  AUTOMS_NUMERIC = 0,
  AUTOMS_CATEGORICAL = 1,
  AUTOMS_DATE = 2
} automs_column_kind;

typedef enum automs_class_kind {
  AUTOMS_NO_CLASSES = 0,
  AUTOMS_INT_CLASSES = 1,
  AUTOMS_FLOAT_CLASSES = 2,
  AUTOMS_BOOL_CLASSES = 3,
  AUTOMS_TEXT_CLASSES = 4
} automs_class_kind;

/* UTF-8 of the given size in bytes, without a closing zero; belongs to the model. */
typedef struct automs_text {
  const char* data;
  size_t size;
} automs_text;

/* What went wrong in a load: in which field of FORMAT.md, at which byte. */
typedef struct automs_failure {
  automs_status status;
  const char* field; /* never NULL, never freed */
  size_t offset;
} automs_failure;

/* "0.1.0" */
AUTOMS_API const char* automs_version(void);
/* What a status means, as the end of an English sentence. */
AUTOMS_API const char* automs_describe(automs_status status);

/* The bytes may lie at any address, memory-mapped for example, and are not needed afterwards.
 * On failure *model is NULL; `failure` may be NULL. */
AUTOMS_API automs_status automs_load(const void* bytes, size_t size, automs_model** model,
                                     automs_failure* failure);
AUTOMS_API automs_status automs_load_file(const char* path, automs_model** model,
                                          automs_failure* failure);
/* NULL is allowed. No thread may use the model any more. */
AUTOMS_API void automs_free(automs_model* model);

AUTOMS_API automs_task automs_task_of(const automs_model* model);
AUTOMS_API size_t automs_n_columns(const automs_model* model);
/* Values that a prediction has: the targets of a regression, or one probability for each class. */
AUTOMS_API size_t automs_n_outputs(const automs_model* model);
AUTOMS_API automs_text automs_metadata(const automs_model* model);

/* Empty where the model does not know names. */
AUTOMS_API automs_text automs_column_name(const automs_model* model, size_t column);
AUTOMS_API automs_column_kind automs_column_kind_of(const automs_model* model, size_t column);
AUTOMS_API size_t automs_n_categories(const automs_model* model, size_t column);
AUTOMS_API automs_text automs_category(const automs_model* model, size_t column, size_t code);
/* The number that stands for a category in a row: its code, or -1, which means "unknown". */
AUTOMS_API double automs_category_code(const automs_model* model, size_t column, const char* text,
                                       size_t size);

/* The label of output i is given by the function for the model's kind of classes. */
AUTOMS_API automs_class_kind automs_class_kind_of(const automs_model* model);
AUTOMS_API int64_t automs_class_int(const automs_model* model, size_t i); /* bool too: 0 or 1 */
AUTOMS_API double automs_class_float(const automs_model* model, size_t i);
AUTOMS_API automs_text automs_class_text(const automs_model* model, size_t i);
/* The index of the label for probabilities that a prediction wrote (n_outputs): the greatest, after
 * the factors that the model may have for its labels. 0 for a regression. */
AUTOMS_API size_t automs_label(const automs_model* model, const double* probabilities);
/* Of a regression; empty where the model does not know names. */
AUTOMS_API automs_text automs_target_name(const automs_model* model, size_t i);

/* The scratch memory of one thread; predictions allocate nothing. */
AUTOMS_API automs_status automs_workspace_new(const automs_model* model,
                                              automs_workspace** workspace);
/* Makes a workspace fit for another model. */
AUTOMS_API automs_status automs_workspace_prepare(automs_workspace* workspace,
                                                  const automs_model* model);
/* NULL is allowed. */
AUTOMS_API void automs_workspace_free(automs_workspace* workspace);

/* row (n_columns; NAN = missing, the code in a categorical column, seconds since 1970-01-01 UTC in
 * a date column) -> out (n_outputs). AUTOMS_BAD_ARGUMENT, and `out` as it was, where the workspace
 * was prepared for another model. */
AUTOMS_API automs_status automs_predict(const automs_model* model, automs_workspace* workspace,
                                        const double* row, double* out);
AUTOMS_API automs_status automs_predict_float(const automs_model* model,
                                              automs_workspace* workspace, const float* row,
                                              double* out);
/* n_rows rows, `stride` numbers from one to the next (at least n_columns) -> out (n_rows,
 * n_outputs), row-major. The bits are those of row by row. */
AUTOMS_API automs_status automs_predict_rows(const automs_model* model, automs_workspace* workspace,
                                             const double* rows, size_t n_rows, size_t stride,
                                             double* out);
AUTOMS_API automs_status automs_predict_rows_float(const automs_model* model,
                                                   automs_workspace* workspace, const float* rows,
                                                   size_t n_rows, size_t stride, double* out);

#ifdef __cplusplus
}
#endif

#endif
