// automs.h -> its functions over Predictor: pointers and indices are checked here, the rest there.
#include <limits>
#include <memory>
#include <new>
#include <string_view>

#include "automs.h"
#include "automs/predictor.hpp"

struct automs_model {
  automs::Predictor predictor;
};

struct automs_workspace {
  automs::Predictor::Workspace scratch;
  const automs_model* model = nullptr;  // it was prepared for; compared, never followed
};

namespace {

using automs::Predictor;
using automs::Status;

static_assert(static_cast<int>(Status::ok) == AUTOMS_OK);
static_assert(static_cast<int>(Status::truncated) == AUTOMS_TRUNCATED);
static_assert(static_cast<int>(Status::bad_magic) == AUTOMS_BAD_MAGIC);
static_assert(static_cast<int>(Status::unknown_version) == AUTOMS_UNKNOWN_VERSION);
static_assert(static_cast<int>(Status::bad_checksum) == AUTOMS_BAD_CHECKSUM);
static_assert(static_cast<int>(Status::bad_value) == AUTOMS_BAD_VALUE);
static_assert(static_cast<int>(Status::too_large) == AUTOMS_TOO_LARGE);
static_assert(static_cast<int>(Status::out_of_memory) == AUTOMS_OUT_OF_MEMORY);
static_assert(static_cast<int>(Status::cannot_read) == AUTOMS_CANNOT_READ);
static_assert(static_cast<int>(automs::ModelTask::multiclass) == AUTOMS_MULTICLASS);
static_assert(static_cast<int>(automs::ColumnKind::date) == AUTOMS_DATE);
static_assert(static_cast<int>(automs::ClassKind::string) == AUTOMS_TEXT_CLASSES);

automs_text text_of(std::string_view text) noexcept {
  return {text.empty() ? "" : text.data(), text.size()};
}

automs_text text_at(const automs::Array<automs::Text>& texts, size_t i) noexcept {
  return text_of(i < texts.size() ? view(texts[i]) : std::string_view());
}

bool has_column(const automs_model* model, size_t column) noexcept {
  return model != nullptr && column < model->predictor.n_columns();
}

/// load(Predictor&, LoadFailure*) -> a new model, or NULL and why.
template <typename Load>
automs_status load_with(const Load& load, automs_model** model, automs_failure* failure) noexcept {
  *model = nullptr;
  automs::LoadFailure result{Status::out_of_memory, "model", 0};
  std::unique_ptr<automs_model> loaded(new (std::nothrow) automs_model);
  if (loaded) load(loaded->predictor, &result);
  const auto status = static_cast<automs_status>(result.status);
  if (failure != nullptr) *failure = {status, result.field, result.offset};
  if (status == AUTOMS_OK) *model = loaded.release();
  return status;
}

automs_status refuse(automs_failure* failure) noexcept {
  if (failure != nullptr) *failure = {AUTOMS_BAD_ARGUMENT, "argument", 0};
  return AUTOMS_BAD_ARGUMENT;
}

template <typename T>
automs_status predict_rows(const automs_model* model, automs_workspace* workspace, const T* rows,
                           size_t n_rows, size_t stride, double* out) noexcept {
  if (model == nullptr || workspace == nullptr || workspace->model != model) {
    return AUTOMS_BAD_ARGUMENT;
  }
  if (n_rows == 0) return AUTOMS_OK;
  if (rows == nullptr || out == nullptr) return AUTOMS_BAD_ARGUMENT;
  if (n_rows > 1 && stride < model->predictor.n_columns()) return AUTOMS_BAD_ARGUMENT;
  model->predictor.predict_rows(rows, n_rows, stride, out, workspace->scratch);
  return AUTOMS_OK;
}

}  // namespace

const char* automs_version(void) { return AUTOMS_VERSION_TEXT; }

const char* automs_describe(automs_status status) {
  if (status == AUTOMS_BAD_ARGUMENT) return "an argument is NULL or does not fit the model";
  return automs::describe(static_cast<Status>(status));
}

automs_status automs_load(const void* bytes, size_t size, automs_model** model,
                          automs_failure* failure) {
  if (model == nullptr) return refuse(failure);
  *model = nullptr;
  if (bytes == nullptr) return refuse(failure);
  const auto load = [bytes, size](Predictor& out, automs::LoadFailure* result) noexcept {
    Predictor::load(bytes, size, out, result);
  };
  return load_with(load, model, failure);
}

automs_status automs_load_file(const char* path, automs_model** model, automs_failure* failure) {
  if (model == nullptr) return refuse(failure);
  *model = nullptr;
  if (path == nullptr) return refuse(failure);
  const auto load = [path](Predictor& out, automs::LoadFailure* result) noexcept {
    Predictor::load_file(path, out, result);
  };
  return load_with(load, model, failure);
}

void automs_free(automs_model* model) { delete model; }

automs_task automs_task_of(const automs_model* model) {
  return model == nullptr ? AUTOMS_REGRESSION : static_cast<automs_task>(model->predictor.task());
}

size_t automs_n_columns(const automs_model* model) {
  return model == nullptr ? 0 : model->predictor.n_columns();
}

size_t automs_n_outputs(const automs_model* model) {
  return model == nullptr ? 0 : model->predictor.n_outputs();
}

automs_text automs_metadata(const automs_model* model) {
  return text_of(model == nullptr ? std::string_view() : model->predictor.metadata());
}

automs_text automs_column_name(const automs_model* model, size_t column) {
  if (model == nullptr) return text_of({});
  return text_at(model->predictor.column_names(), column);
}

automs_column_kind automs_column_kind_of(const automs_model* model, size_t column) {
  if (!has_column(model, column)) return AUTOMS_NUMERIC;
  return static_cast<automs_column_kind>(model->predictor.column_kind(column));
}

size_t automs_n_categories(const automs_model* model, size_t column) {
  return has_column(model, column) ? model->predictor.n_categories(column) : 0;
}

automs_text automs_category(const automs_model* model, size_t column, size_t code) {
  if (code >= automs_n_categories(model, column)) return text_of({});
  return text_of(model->predictor.category(column, code));
}

double automs_category_code(const automs_model* model, size_t column, const char* text,
                            size_t size) {
  if (!has_column(model, column) || (text == nullptr && size > 0)) return automs::kUnknownCode;
  return model->predictor.category_code(column, std::string_view(text, size));
}

automs_class_kind automs_class_kind_of(const automs_model* model) {
  if (model == nullptr) return AUTOMS_NO_CLASSES;
  return static_cast<automs_class_kind>(model->predictor.class_kind());
}

int64_t automs_class_int(const automs_model* model, size_t i) {
  if (model == nullptr) return 0;
  const Predictor& predictor = model->predictor;
  if (i < predictor.int_classes().size()) return predictor.int_classes()[i];
  return i < predictor.bool_classes().size() ? predictor.bool_classes()[i] : 0;
}

double automs_class_float(const automs_model* model, size_t i) {
  if (model != nullptr && i < model->predictor.float_classes().size()) {
    return model->predictor.float_classes()[i];
  }
  return std::numeric_limits<double>::quiet_NaN();
}

automs_text automs_class_text(const automs_model* model, size_t i) {
  return model == nullptr ? text_of({}) : text_at(model->predictor.string_classes(), i);
}

size_t automs_label(const automs_model* model, const double* probabilities) {
  if (model == nullptr || probabilities == nullptr || model->predictor.n_outputs() < 2 ||
      model->predictor.task() == automs::ModelTask::regression) {
    return 0;
  }
  return model->predictor.label_index(probabilities);
}

automs_text automs_target_name(const automs_model* model, size_t i) {
  return model == nullptr ? text_of({}) : text_at(model->predictor.target_names(), i);
}

automs_status automs_workspace_new(const automs_model* model, automs_workspace** workspace) {
  if (workspace == nullptr) return AUTOMS_BAD_ARGUMENT;
  *workspace = nullptr;
  if (model == nullptr) return AUTOMS_BAD_ARGUMENT;
  std::unique_ptr<automs_workspace> made(new (std::nothrow) automs_workspace);
  if (!made) return AUTOMS_OUT_OF_MEMORY;
  const automs_status status = automs_workspace_prepare(made.get(), model);
  if (status == AUTOMS_OK) *workspace = made.release();
  return status;
}

automs_status automs_workspace_prepare(automs_workspace* workspace, const automs_model* model) {
  if (workspace == nullptr || model == nullptr) return AUTOMS_BAD_ARGUMENT;
  const Status status = workspace->scratch.prepare(model->predictor);
  workspace->model = status == Status::ok ? model : nullptr;
  return static_cast<automs_status>(status);
}

void automs_workspace_free(automs_workspace* workspace) { delete workspace; }

automs_status automs_predict(const automs_model* model, automs_workspace* workspace,
                             const double* row, double* out) {
  return predict_rows(model, workspace, row, 1, 0, out);
}

automs_status automs_predict_float(const automs_model* model, automs_workspace* workspace,
                                   const float* row, double* out) {
  return predict_rows(model, workspace, row, 1, 0, out);
}

automs_status automs_predict_rows(const automs_model* model, automs_workspace* workspace,
                                  const double* rows, size_t n_rows, size_t stride, double* out) {
  return predict_rows(model, workspace, rows, n_rows, stride, out);
}

automs_status automs_predict_rows_float(const automs_model* model, automs_workspace* workspace,
                                        const float* rows, size_t n_rows, size_t stride,
                                        double* out) {
  return predict_rows(model, workspace, rows, n_rows, stride, out);
}
