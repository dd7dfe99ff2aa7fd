namespace PsyLite.Training.Layers;

/// <summary>What the layers of a decoder are made of: its weights and, where they are frozen, the adapters on them.</summary>
internal sealed class DecoderWeights : IDisposable
{
    private int _adapters;

    public DecoderWeights(Models.ModelConfig config, TuningOptions tuning)
    {
        Lora = tuning.Validated().Lora;
        Base = Lora is null ? new ParameterSet(config) : ParameterSet.Frozen(config, tuning.Quantisation);
        Adapters = Lora is null ? null : ParameterSet.Adapters(config, Lora);
    }

    public LoraOptions? Lora { get; }

    public ParameterSet Base { get; }

    public ParameterSet? Adapters { get; }

    /// <summary>The linear layer of this weight, with its adapter if it has one.</summary>
    /// <param name="rows">Most rows of an input.</param>
    /// <param name="down">[rows x r] memory that keeps the adapter's inner activation; null if the layer has its own.</param>
    public Linear Linear(string name, Workspace workspace, int rows, Kernels.Matrix? down = null)
    {
        var adapted = Lora is not null && (name != "output.weight" || Lora.Output);
        return new Linear(Base[name], workspace, adapted
            ? new LoraAdapter(
                Adapters![TensorShape.AdapterName(name, TensorShape.AdapterA)], Adapters[TensorShape.AdapterName(name, TensorShape.AdapterB)],
                Lora!, workspace, down ?? workspace.Allocate(rows, Lora!.Rank), stream: _adapters++)
            : null);
    }

    public void Dispose()
    {
        Base.Dispose();
        Adapters?.Dispose();
    }
}
