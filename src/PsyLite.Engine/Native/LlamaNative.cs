using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>The calls into llama.cpp v0.5.0 that the engine makes: library start, model, vocabulary, quantisation.</summary>
internal static unsafe partial class LlamaNative
{
    public const string Llama = "llama";
    public const string Ggml = "ggml";
    public const string GgmlBase = "ggml-base";

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_load_all_from_path", StringMarshalling = StringMarshalling.Utf8)]
    public static partial void LoadBackends(string folder);

    [LibraryImport(Ggml, EntryPoint = "ggml_backend_reg_by_name", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BackendByName(string name);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_backend_reg_get_proc_address", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint BackendFunction(nint backend, string name);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_threadpool_params_init")]
    public static partial void InitThreadpoolParams(ThreadpoolParams* parameters, int threads);

    [LibraryImport(Llama, EntryPoint = "llama_backend_init")]
    public static partial void InitBackend();

    [LibraryImport(Llama, EntryPoint = "llama_log_set")]
    public static partial void SetLog(delegate* unmanaged[Cdecl]<int, byte*, nint, void> callback, nint userData);

    [LibraryImport(Llama, EntryPoint = "llama_version")]
    public static partial byte* Version();

    [LibraryImport(Llama, EntryPoint = "llama_print_system_info")]
    public static partial byte* SystemInfo();

    [LibraryImport(Llama, EntryPoint = "llama_model_default_params")]
    public static partial ModelParams DefaultModelParams();

    [LibraryImport(Llama, EntryPoint = "llama_context_default_params")]
    public static partial ContextParams DefaultContextParams();

    [LibraryImport(Llama, EntryPoint = "llama_sampler_chain_default_params")]
    public static partial SamplerChainParams DefaultSamplerChainParams();

    [LibraryImport(Llama, EntryPoint = "llama_model_quantize_default_params")]
    public static partial QuantizeParams DefaultQuantizeParams();

    [LibraryImport(Llama, EntryPoint = "llama_model_quantize", StringMarshalling = StringMarshalling.Utf8)]
    public static partial uint Quantize(string source, string target, QuantizeParams* parameters);

    [LibraryImport(GgmlBase, EntryPoint = "ggml_quantize_chunk")]
    public static partial nuint QuantizeChunk(uint type, float* source, void* target, long start, long rows, long columns, float* importance);

    [LibraryImport(Llama, EntryPoint = "llama_model_load_from_file", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint LoadModel(string path, ModelParams parameters);

    [LibraryImport(Llama, EntryPoint = "llama_adapter_lora_init", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint LoadAdapter(ModelHandle model, string path);

    [LibraryImport(Llama, EntryPoint = "llama_set_adapters_lora")]
    public static partial int SetAdapters(ContextHandle context, nint* adapters, nuint count, float* scales);

    [LibraryImport(Llama, EntryPoint = "llama_model_free")]
    public static partial void FreeModel(nint model);

    [LibraryImport(Llama, EntryPoint = "llama_model_get_vocab")]
    public static partial nint GetVocabulary(nint model);

    [LibraryImport(Llama, EntryPoint = "llama_model_n_ctx_train")]
    public static partial int TrainingContextLength(ModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_n_params")]
    public static partial ulong ParameterCount(ModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_desc")]
    public static partial int Description(ModelHandle model, byte* buffer, nuint size);

    [LibraryImport(Llama, EntryPoint = "llama_model_meta_count")]
    public static partial int MetadataCount(ModelHandle model);

    [LibraryImport(Llama, EntryPoint = "llama_model_meta_key_by_index")]
    public static partial int MetadataKey(ModelHandle model, int index, byte* buffer, nuint size);

    [LibraryImport(Llama, EntryPoint = "llama_model_meta_val_str_by_index")]
    public static partial int MetadataValue(ModelHandle model, int index, byte* buffer, nuint size);

    [LibraryImport(Llama, EntryPoint = "llama_model_chat_template")]
    public static partial byte* ChatTemplate(ModelHandle model, byte* name);

    [LibraryImport(Llama, EntryPoint = "llama_chat_apply_template")]
    public static partial int ApplyTemplate(byte* template, TemplateMessage* messages, nuint count, byte addAssistant, byte* buffer, int length);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_n_tokens")]
    public static partial int VocabularySize(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_bos")]
    public static partial int BeginToken(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_get_add_bos")]
    public static partial byte AddsBegin(nint vocabulary);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_is_eog")]
    public static partial byte IsEndOfGeneration(nint vocabulary, int token);

    [LibraryImport(Llama, EntryPoint = "llama_vocab_is_control")]
    public static partial byte IsControl(nint vocabulary, int token);

    [LibraryImport(Llama, EntryPoint = "llama_tokenize")]
    public static partial int Tokenize(nint vocabulary, byte* text, int length, int* tokens, int capacity, byte addSpecial, byte parseSpecial);

    [LibraryImport(Llama, EntryPoint = "llama_token_to_piece")]
    public static partial int TokenPiece(nint vocabulary, int token, byte* buffer, int length, int skippedSpaces, byte special);

    [LibraryImport(Llama, EntryPoint = "llama_detokenize")]
    public static partial int Detokenize(nint vocabulary, int* tokens, int count, byte* text, int capacity, byte removeSpecial, byte special);
}
