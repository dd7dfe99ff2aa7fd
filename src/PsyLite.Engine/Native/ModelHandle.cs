using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PsyLite.Engine.Native;

/// <summary>Owns a llama_model. Contexts keep it alive, so it may be disposed before them.</summary>
internal sealed class ModelHandle : SafeHandle
{
    private readonly List<(nint Adapter, float Scale)> adapters = [];

    private ModelHandle(nint model)
        : base(0, ownsHandle: true)
    {
        SetHandle(model);
        Vocabulary = LlamaNative.GetVocabulary(model);
    }

    public override bool IsInvalid => handle == 0;

    /// <summary>llama_vocab*, which lives as long as the model.</summary>
    public nint Vocabulary { get; }

    /// <summary>Adapters that every context of the model takes, with their scales; they are freed with the model.</summary>
    public IReadOnlyList<(nint Adapter, float Scale)> Adapters => adapters;

    /// <summary>Loads a model; null when llama.cpp refuses, and its log says why.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while loading.</exception>
    public static unsafe ModelHandle? Load(LlamaOptions options, MemoryPlan plan, IProgress<float>? progress, CancellationToken cancellationToken)
    {
        var loading = GCHandle.Alloc(new Loading(progress, cancellationToken, plan.DropsPages ? options.Path : null));
        try
        {
            var parameters = LlamaNative.DefaultModelParams();
            parameters.LoadMode = plan.LoadMode;
            parameters.GpuLayers = options.GpuLayers;
            parameters.UseExtraBuffers = plan.Repack ? (byte)1 : (byte)0;
            parameters.CheckTensors = options.CheckTensors ? (byte)1 : (byte)0;
            parameters.ProgressCallback = (nint)(delegate* unmanaged[Cdecl]<float, nint, byte>)&OnProgress;
            parameters.ProgressUserData = GCHandle.ToIntPtr(loading);
            var model = LlamaNative.LoadModel(options.Path, parameters);
            if (model == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                return null;
            }

            FilePages.TrimHeap();
            return new ModelHandle(model);
        }
        finally
        {
            loading.Free();
        }
    }

    /// <summary>Loads an adapter; false when llama.cpp refuses, and its log says why.</summary>
    public bool AddAdapter(LoraFile file)
    {
        var adapter = LlamaNative.LoadAdapter(this, file.Path);
        if (adapter != 0)
        {
            adapters.Add((adapter, file.Scale));
        }

        return adapter != 0;
    }

    protected override bool ReleaseHandle()
    {
        LlamaNative.FreeModel(handle);
        return true;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static byte OnProgress(float done, nint userData)
    {
        var loading = (Loading)GCHandle.FromIntPtr(userData).Target!;
        loading.Progress?.Report(done);
        if (loading.MappedFile is { } file)
        {
            FilePages.Drop(file);
        }

        return loading.CancellationToken.IsCancellationRequested ? (byte)0 : (byte)1;
    }

    private sealed record Loading(IProgress<float>? Progress, CancellationToken CancellationToken, string? MappedFile);
}
