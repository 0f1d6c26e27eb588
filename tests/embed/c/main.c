/* A program that embeds a model by its C interface: a row of numbers a line on standard input ->
 * the outputs, exactly, as hexadecimal floats. Words that are no number are category texts.
 * Then a line for each answer of the interface about the model, for the test to compare.
 * usage: main MODEL <rows */
#include <automs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 64 /* columns and outputs of the test's models */
#define CHECK(condition)                                      \
  do {                                                        \
    if (!(condition)) {                                       \
      fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
      exit(1);                                                \
    }                                                         \
  } while (0)

static size_t read_row(const automs_model* model, char* line, double* row) {
  size_t n = 0;
  for (char* word = strtok(line, " \n"); word != NULL && n < MOST; word = strtok(NULL, " \n")) {
    char* end;
    row[n] = strtod(word, &end);
    if (*end != '\0') row[n] = automs_category_code(model, n, word, strlen(word));
    ++n;
  }
  return n;
}

/* The same row as a single one, as one of many, and in float: whatever is exact has equal bits. */
static void check_forms(const automs_model* model, automs_workspace* workspace, const double* row,
                        const double* out) {
  const size_t n_columns = automs_n_columns(model), n_outputs = automs_n_outputs(model);
  double rows[2 * MOST], outs[2 * MOST];
  float floats[2 * MOST];
  for (size_t j = 0; j < 2 * n_columns; ++j) rows[j] = row[j % n_columns];
  CHECK(automs_predict_rows(model, workspace, rows, 2, n_columns, outs) == AUTOMS_OK);
  CHECK(memcmp(outs, out, n_outputs * sizeof *out) == 0);
  CHECK(memcmp(outs + n_outputs, out, n_outputs * sizeof *out) == 0);
  for (size_t j = 0; j < 2 * n_columns; ++j) {
    floats[j] = (float)rows[j];
    rows[j] = floats[j];
  }
  double from_float[MOST], from_double[MOST];
  CHECK(automs_predict(model, workspace, rows, from_double) == AUTOMS_OK);
  CHECK(automs_predict_float(model, workspace, floats, from_float) == AUTOMS_OK);
  CHECK(memcmp(from_float, from_double, n_outputs * sizeof *out) == 0);
  CHECK(automs_predict_rows_float(model, workspace, floats, 2, n_columns, outs) == AUTOMS_OK);
  CHECK(memcmp(outs + n_outputs, from_double, n_outputs * sizeof *out) == 0);
}

static void print_text(const char* what, automs_text text) {
  printf("%s %.*s\n", what, (int)text.size, text.data);
}

static void print_model(const automs_model* model) {
  printf("task %d\n", (int)automs_task_of(model));
  for (size_t j = 0; j < automs_n_columns(model); ++j) {
    printf("kind %d\n", (int)automs_column_kind_of(model, j));
    print_text("column", automs_column_name(model, j));
    for (size_t c = 0; c < automs_n_categories(model, j); ++c) {
      const automs_text text = automs_category(model, j, c);
      print_text("category", text);
      CHECK(automs_category_code(model, j, text.data, text.size) == (double)c);
    }
    CHECK(automs_category_code(model, j, "no such category", 16) == -1.0);
  }
  printf("classes %d\n", (int)automs_class_kind_of(model));
  for (size_t i = 0; i < automs_n_outputs(model); ++i) {
    if (automs_class_kind_of(model) == AUTOMS_TEXT_CLASSES) {
      print_text("class", automs_class_text(model, i));
    } else if (automs_class_kind_of(model) == AUTOMS_FLOAT_CLASSES) {
      printf("class %g\n", automs_class_float(model, i));
    } else if (automs_class_kind_of(model) != AUTOMS_NO_CLASSES) {
      printf("class %lld\n", (long long)automs_class_int(model, i));
    } else {
      print_text("target", automs_target_name(model, i));
    }
  }
}

/* Nothing that a caller may get wrong is more than a status or an empty answer. */
static void check_mistakes(const automs_model* model, automs_workspace* workspace) {
  automs_model* other = NULL;
  automs_failure failure;
  double row[MOST] = {0}, out[MOST];
  CHECK(automs_load_file("no such file", &other, &failure) == AUTOMS_CANNOT_READ);
  CHECK(other == NULL && failure.status == AUTOMS_CANNOT_READ);
  CHECK(strcmp(failure.field, "file") == 0);
  CHECK(automs_load("short", 5, &other, NULL) != AUTOMS_OK && other == NULL);
  CHECK(automs_load(NULL, 5, &other, &failure) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_load_file("x", NULL, &failure) == AUTOMS_BAD_ARGUMENT);
  CHECK(strlen(automs_describe(AUTOMS_BAD_ARGUMENT)) > 0);
  CHECK(strlen(automs_describe((automs_status)77)) > 0);
  CHECK(automs_predict(NULL, workspace, row, out) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_predict(model, NULL, row, out) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_predict(model, workspace, NULL, out) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_predict(model, workspace, row, NULL) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_predict_rows(model, workspace, row, 2, 0, out) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_predict_rows(model, workspace, NULL, 0, 0, NULL) == AUTOMS_OK);
  CHECK(automs_column_name(model, 1000).size == 0 && automs_n_categories(model, 1000) == 0);
  CHECK(automs_class_text(NULL, 0).size == 0 && automs_n_outputs(NULL) == 0);
  CHECK(automs_category(model, 0, 1000000).data != NULL);
  CHECK(automs_label(NULL, out) == 0 && automs_label(model, NULL) == 0);
}

/* A copy of the file at an odd address gives a model for which the old workspace is refused. */
static void check_memory(const char* path, const automs_model* model, automs_workspace* workspace) {
  static char bytes[1 << 20];
  FILE* file = fopen(path, "rb");
  CHECK(file != NULL);
  const size_t size = fread(bytes + 1, 1, sizeof bytes - 1, file);
  fclose(file);
  automs_model* twin;
  double row[MOST] = {0}, out[MOST], twin_out[MOST];
  CHECK(automs_load(bytes + 1, size, &twin, NULL) == AUTOMS_OK);
  CHECK(automs_predict(twin, workspace, row, twin_out) == AUTOMS_BAD_ARGUMENT);
  CHECK(automs_predict(model, workspace, row, out) == AUTOMS_OK);
  CHECK(automs_workspace_prepare(workspace, twin) == AUTOMS_OK);
  CHECK(automs_predict(twin, workspace, row, twin_out) == AUTOMS_OK);
  CHECK(memcmp(out, twin_out, automs_n_outputs(model) * sizeof *out) == 0);
  automs_free(twin);
}

int main(int argc, char** argv) {
  automs_model* model = NULL;
  automs_workspace* workspace = NULL;
  automs_failure failure;
  if (argc != 2) return 2;
  if (automs_load_file(argv[1], &model, &failure) != AUTOMS_OK) {
    fprintf(stderr, "%s, field %s\n", automs_describe(failure.status), failure.field);
    return 1;
  }
  CHECK(automs_workspace_new(model, &workspace) == AUTOMS_OK);
  CHECK(automs_n_columns(model) <= MOST && automs_n_outputs(model) <= MOST);
  char line[4096];
  while (fgets(line, sizeof line, stdin) != NULL) {
    double row[MOST], out[MOST];
    CHECK(read_row(model, line, row) == automs_n_columns(model));
    CHECK(automs_predict(model, workspace, row, out) == AUTOMS_OK);
    check_forms(model, workspace, row, out);
    for (size_t j = 0; j < automs_n_outputs(model); ++j) printf("%a ", out[j]);
    printf("\n");
  }
  printf("version %s\n", automs_version());
  print_model(model);
  check_mistakes(model, workspace);
  check_memory(argv[1], model, workspace);
  automs_workspace_free(workspace);
  automs_free(model);
  return 0;
}
