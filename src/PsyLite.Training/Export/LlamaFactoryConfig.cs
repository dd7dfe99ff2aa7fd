using System.Globalization;
using System.Text;
using System.Text.Json;
using PsyLite.Training.Losses;

namespace PsyLite.Training.Export;

/// <summary>A recipe as a configuration of LLaMA-Factory (YAML) and the description of its data.</summary>
internal static class LlamaFactoryConfig
{
    public static string Launch(EngineCluster cluster) => EngineFolder.Script("FORCE_TORCHRUN=1 llamafactory-cli train config.yaml", cluster);

    public static string DatasetInfo(bool preferences)
    {
        var tags = new { role_tag = "role", content_tag = "content", user_tag = "user", assistant_tag = "assistant", system_tag = "system" };
        object entry = preferences
            ? new { file_name = "train.jsonl", formatting = "sharegpt", ranking = true, columns = new { messages = "conversations", chosen = "chosen", rejected = "rejected" }, tags }
            : new { file_name = "train.jsonl", formatting = "sharegpt", columns = new { messages = "messages" }, tags };
        return JsonSerializer.Serialize(new { psylite = entry }, new JsonSerializerOptions { WriteIndented = true });
    }

    /// <exception cref="InvalidDataException">LLaMA-Factory has no such loss.</exception>
    public static string Render(RecipeOptions options, string baseModel, bool preferences, int accumulation)
    {
        if (preferences && options.Orpo.Nll == OrpoNll.Trl)
        {
            throw new InvalidDataException("LLaMA-Factory's ORPO leaves the prompts out of the likelihood: give --set orpo.nll=paper.");
        }

        var yaml = new StringBuilder();
        void Line(string key, IFormattable value) => yaml.Append(key).Append(": ").AppendLine(value.ToString(null, CultureInfo.InvariantCulture));
        void Text(string key, string value) => yaml.Append(key).Append(": ").AppendLine(JsonSerializer.Serialize(value));
        void Flag(string key) => yaml.Append(key).AppendLine(": true");
        yaml.AppendLine(CultureInfo.InvariantCulture, $"# {options.Name}: written by `psylite train --engine llamafactory`. {options.RowsPerStep} rows an update.");
        Text("model_name_or_path", baseModel);
        Flag("trust_remote_code");
        Flag("do_train");
        Text("stage", preferences ? "dpo" : "sft");
        if (preferences)
        {
            Text("pref_loss", "orpo");
            Line("pref_beta", options.Orpo.Beta);
        }

        Text("finetuning_type", options.Lora is null ? "full" : "lora");
        if (options.Lora is { } lora)
        {
            Line("lora_rank", lora.Rank);
            Line("lora_alpha", (int)lora.Alpha);
            Line("lora_dropout", lora.Dropout);
            Text("lora_target", lora.Output ? "wqkv,wo,w1,w2,w3,output" : "wqkv,wo,w1,w2,w3");
        }

        if (options.Quantisation == Quantisation.Nf4)
        {
            Line("quantization_bit", 4);
            Text("quantization_method", "bnb");
            Text("quantization_type", "nf4");
            Flag("double_quantization");
        }

        Text("dataset_dir", ".");
        Text("dataset", "psylite");
        Text("template", "intern2");
        Line("cutoff_len", preferences ? options.MaxSampleTokens : options.RowTokens);
        if (!preferences)
        {
            Flag("packing");
            Flag("neat_packing");
            if (options.Loss == Data.LossScope.LastReply)
            {
                Flag("mask_history");
            }
        }

        Text("output_dir", "run");
        Flag("plot_loss");
        Line("save_steps", options.CheckpointEvery);
        Line("logging_steps", 1);
        Line("per_device_train_batch_size", options.Batch);
        Line("gradient_accumulation_steps", accumulation);
        Line("learning_rate", options.LearningRate);
        yaml.AppendLine(options.Epochs is { } epochs ? $"num_train_epochs: {epochs}" : $"max_steps: {options.Steps}");
        Text("lr_scheduler_type", "cosine");
        Line("warmup_ratio", options.WarmupRatio);
        Line("weight_decay", options.WeightDecay);
        Line("adam_beta1", options.Beta1);
        Line("adam_beta2", options.Beta2);
        Line("max_grad_norm", options.ClipNorm);
        Line("seed", options.Seed);
        Flag("bf16");
        return yaml.ToString();
    }
}
