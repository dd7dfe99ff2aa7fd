using System.Globalization;
using PsyLite.Training.Losses;

namespace PsyLite.Training.Export;

/// <summary>A recipe as a configuration of XTuner 0.1 (an mmengine file): packed rows with attention inside each sample.</summary>
internal static class XtunerConfig
{
    public static string Launch(EngineCluster cluster) => EngineFolder.Script("xtuner train config.py --work-dir run --deepspeed deepspeed_zero2", cluster);

    /// <exception cref="InvalidDataException">XTuner has no such loss.</exception>
    public static string Render(RecipeOptions options, string baseModel, bool preferences, int accumulation)
    {
        if (preferences && options.Orpo.Nll != OrpoNll.Xtuner)
        {
            throw new InvalidDataException("XTuner's ORPO takes the likelihood of the chosen replies alone: give --set orpo.nll=xtuner, or --engine llamafactory.");
        }

        var length = options.Epochs is { } epochs
            ? $"train_cfg = dict(type=TrainLoop, max_epochs={epochs})\nend, by_epoch = {epochs}, True"
            : $"train_cfg = dict(type=IterBasedTrainLoop, max_iters={options.Steps * accumulation})\nend, by_epoch = {options.Steps * accumulation}, False";
        return string.Create(CultureInfo.InvariantCulture, $"""
            # {options.Name}: written by `psylite train --engine xtuner`. Batch x accumulation x GPUs = {options.RowsPerStep} rows an update.
            import torch
            from datasets import load_dataset
            from mmengine.dataset import DefaultSampler
            from mmengine.hooks import CheckpointHook, DistSamplerSeedHook, IterTimerHook, LoggerHook, ParamSchedulerHook
            from mmengine.optim import AmpOptimWrapper, CosineAnnealingLR, LinearLR
            from mmengine.runner import IterBasedTrainLoop
            from peft import LoraConfig
            from torch.optim import AdamW
            from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
            from xtuner.engine.hooks import VarlenAttnArgsToMessageHubHook
            from xtuner.engine.runner import TrainLoop
            {(preferences ? OrpoImports : SftImports)}

            base = {Quote(baseModel)}
            tokenizer = dict(type=AutoTokenizer.from_pretrained, pretrained_model_name_or_path=base, trust_remote_code=True, padding_side='right')
            model = dict(
                type={(preferences ? $"ORPO, beta={options.Orpo.Beta}" : "SupervisedFinetune")}, use_varlen_attn=True,
                llm=dict(type=AutoModelForCausalLM.from_pretrained, pretrained_model_name_or_path=base, trust_remote_code=True, torch_dtype=torch.float16{Quantisation(options)}){Lora(options)})
            {(preferences ? OrpoData(options) : SftData(options))}
            optim_wrapper = dict(
                type=AmpOptimWrapper, optimizer=dict(type=AdamW, lr={options.LearningRate}, betas=({options.Beta1}, {options.Beta2}), weight_decay={options.WeightDecay}),
                clip_grad=dict(max_norm={options.ClipNorm}, error_if_nonfinite=False), accumulative_counts={accumulation}, loss_scale='dynamic', dtype='float16')
            {length}
            warm_up = {options.WarmupRatio} * end
            param_scheduler = [
                dict(type=LinearLR, start_factor={options.WarmupStart ?? 1e-5}, by_epoch=by_epoch, begin=0, end=warm_up if by_epoch else int(warm_up), convert_to_iter_based=by_epoch),
                dict(type=CosineAnnealingLR, eta_min={options.FinalRate * options.LearningRate}, by_epoch=by_epoch, begin=warm_up if by_epoch else int(warm_up), end=end, convert_to_iter_based=by_epoch)]
            custom_hooks = [dict(type=VarlenAttnArgsToMessageHubHook)]
            default_hooks = dict(
                timer=dict(type=IterTimerHook), logger=dict(type=LoggerHook, log_metric_by_epoch=False, interval=10), param_scheduler=dict(type=ParamSchedulerHook),
                checkpoint=dict(type=CheckpointHook, by_epoch=False, interval={options.CheckpointEvery * accumulation}, max_keep_ckpts=2), sampler_seed=dict(type=DistSamplerSeedHook))
            env_cfg = dict(cudnn_benchmark=False, mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0), dist_cfg=dict(backend='nccl'))
            visualizer, log_level, load_from, resume = None, 'INFO', None, False
            randomness = dict(seed={options.Seed}, deterministic=False)
            log_processor = dict(by_epoch=False)

            """);
    }

    private const string SftImports = """
        from xtuner.dataset import process_hf_dataset
        from xtuner.dataset.collate_fns import default_collate_fn
        from xtuner.dataset.map_fns import openai_map_fn, template_map_fn_factory
        from xtuner.model import SupervisedFinetune
        from xtuner.utils import PROMPT_TEMPLATE
        """;

    private const string OrpoImports = """
        from xtuner.dataset.collate_fns.preference_collate_fn import preference_collate_fn
        from xtuner.dataset.preference_dataset import build_preference_dataset, load_jsonl_dataset, orpo_dpo_mix_40k_map_fn
        from xtuner.model.orpo import ORPO
        """;

    private static string SftData(RecipeOptions options) => $"""
        train_dataloader = dict(
            batch_size=1, num_workers=0, sampler=dict(type=DefaultSampler, shuffle=True), collate_fn=dict(type=default_collate_fn, use_varlen_attn=True),
            dataset=dict(
                type=process_hf_dataset, dataset=dict(type=load_dataset, path='json', data_files=dict(train='train.jsonl')), tokenizer=tokenizer,
                max_length={options.RowTokens}, dataset_map_fn=openai_map_fn, template_map_fn=dict(type=template_map_fn_factory, template=PROMPT_TEMPLATE.internlm2_chat),
                remove_unused_columns=True, shuffle_before_pack=True, pack_to_max_length=True, use_varlen_attn=True))
        """;

    private static string OrpoData(RecipeOptions options) => $"""
        train_dataloader = dict(
            batch_size=1, num_workers=0, sampler=dict(type=DefaultSampler, shuffle=True), collate_fn=dict(type=preference_collate_fn, use_varlen_attn=True),
            dataset=dict(
                type=build_preference_dataset, dataset=dict(type=load_jsonl_dataset, data_files=['train.jsonl']), tokenizer=tokenizer, max_length={options.MaxSampleTokens},
                dataset_map_fn=orpo_dpo_mix_40k_map_fn, is_dpo=True, is_reward=False, reward_token_id=-1, num_proc=4, use_varlen_attn=True,
                max_packed_length={options.RowTokens}, shuffle_before_pack=True, seed={options.Seed}))
        """;

    private static string Quantisation(RecipeOptions options) => options.Quantisation != Training.Quantisation.Nf4 ? "" : """
        ,
                quantization_config=dict(
                    type=BitsAndBytesConfig, load_in_4bit=True, load_in_8bit=False, llm_int8_threshold=6.0, llm_int8_has_fp16_weight=False,
                    bnb_4bit_compute_dtype=torch.float16, bnb_4bit_use_double_quant=True, bnb_4bit_quant_type='nf4')
        """;

    private static string Lora(RecipeOptions options) => options.Lora is not { } lora ? "" : string.Create(CultureInfo.InvariantCulture, $"""
        ,
            lora=dict(type=LoraConfig, r={lora.Rank}, lora_alpha={lora.Alpha}, lora_dropout={lora.Dropout}, bias='none', task_type='CAUSAL_LM',
                      target_modules={(lora.Output ? "['wqkv', 'wo', 'w1', 'w2', 'w3', 'output']" : "['wqkv', 'wo', 'w1', 'w2', 'w3']")})
        """);

    private static string Quote(string text) => "'" + text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("'", "\\'", StringComparison.Ordinal) + "'";
}
