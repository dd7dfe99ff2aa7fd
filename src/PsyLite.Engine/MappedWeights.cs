using System.Runtime.InteropServices;
using PsyLite.Engine.Native;
using PsyLite.Models.Gguf;

namespace PsyLite.Engine;

/// <summary>
/// Which pages of a mapped and repacked model file lie in memory: those of the weights that are used where they are. What was copied out of the
/// mapping is given back, and so are the embeddings, of which a token reads one row.
/// </summary>
internal sealed class MappedWeights
{
    /// <summary>Every token reads a row of the embeddings, which brings in its neighbours; after so many tokens these are given back.</summary>
    private const int TokensPerDrop = 32;

    /// <summary>After so many tokens the code is given back that was run once, such as what the first turn compiled from.</summary>
    private const int TokensPerCodeDrop = 256;

    /// <summary>Types that llama.cpp v0.5.0 rearranges for x64 with AVX2; weights of other types stay as they are in the file.</summary>
    private static readonly GgmlType[] Repacked = [GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q2_K, GgmlType.IQ4_NL];

    private readonly string path;
    private readonly List<(long Offset, long Bytes)> unused;
    private readonly List<(long Offset, long Bytes)> embeddings;
    private readonly List<(long Offset, long Bytes)> used;
    private int tokens;
    private int codeTokens;

    public MappedWeights(string path)
    {
        this.path = path;
        var tensors = ModelFile.Read(path, file => file.Tensors.ToList());
        List<(long, long)> Ranges(Func<GgufTensor, bool> which) => [.. tensors.Where(which).Select(t => (t.Offset, t.ByteCount))];
        // Without an output of its own a model ends in the embeddings: then every token reads them whole, unless that copy is rearranged too.
        var isTied = !tensors.Any(t => t.Name == "output.weight");
        bool IsEmbedding(GgufTensor tensor) => tensor.Name == "token_embd.weight" && (!isTied || Repacked.Contains(tensor.Type));
        embeddings = Ranges(IsEmbedding);
        unused = Ranges(t => Repacked.Contains(t.Type) && !IsEmbedding(t));
        used = Ranges(t => !Repacked.Contains(t.Type) && !IsEmbedding(t));
    }

    /// <summary>Once, when the model is loaded and before a context takes memory. Which types stay is known for x64 only.</summary>
    public void Settle()
    {
        FilePages.MapSmall(path);
        FilePages.Drop(path);
        if (RuntimeInformation.ProcessArchitecture == Architecture.X64)
        {
            // A page that is touched brings its neighbours in, and only then: touched here once, given back once, they stay away.
            FilePages.Fetch(path, used);
            FilePages.Drop(path, unused);
            FilePages.Drop(path, embeddings);
        }

        FilePages.DropCode();
    }

    /// <summary>So many tokens have been computed.</summary>
    public void Used(int count)
    {
        (tokens, codeTokens) = (tokens + count, codeTokens + count);
        if (tokens >= TokensPerDrop)
        {
            FilePages.Drop(path, embeddings);
            tokens = 0;
        }

        if (codeTokens >= TokensPerCodeDrop)
        {
            FilePages.DropCode();
            FilePages.TrimHeap();
            codeTokens = 0;
        }
    }
}
